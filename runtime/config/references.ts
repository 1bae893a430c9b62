import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { FleetError, messageOf } from "../errors.ts";
import { type ConfigPath, pathText } from "./schema/index.ts";
import { secretsIn } from "./secret-values.ts";
import { namesSecret } from "./written-secrets.ts";

/** What resolving a configuration's references brought to light. */
export interface ResolvedReferences<T> {
  readonly value: T;
  /** Every value that came from a reference and is not plainly harmless, with its secret parts: to be shown nowhere. */
  readonly secrets: readonly string[];
  /** Files that were read. */
  readonly files: readonly string[];
}

/** Where the configuration stands. */
export interface ReferencesAt {
  /** Files that references name are relative to its folder. */
  readonly file: string;
  /** The variables. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** How people are told where a value stands, such as `fleet.yaml:3:5`. Defaults to the file. */
  readonly place?: (path: ConfigPath) => string;
}

const variable = /\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g;
/** Keys whose values are secrets, wherever they came from and however short they are. */
const secretKeys = new Set(["token", "key", "clientSecret", "password"]);
/** The length from which on a variable's value counts as a secret because of the variable's name. */
const minNamed = 3;
/** The parts of `credentials` that are, beside all of `callers.secrets`. */
const credentialKeys = new Set(["value", "gateway", "clientSecret", "privateKey", "assertion"]);

/**
 * Replaces `${NAME}` and `${NAME:-default}` in every text of a configuration, and a text `file:PATH` by that file's
 * content. `$${` stands for `${`, and `$file:` at the beginning for `file:`. Rejects with REFERENCE_UNRESOLVED, which names every
 * variable that is not set and every file that cannot be read.
 */
export async function resolveReferences<T>(
  value: T,
  { file, env, place = () => file }: ReferencesAt,
): Promise<ResolvedReferences<T>> {
  const secrets = new Set<string>();
  const files: string[] = [];
  const problems: string[] = [];
  const miss = (path: ConfigPath, problem: string, fix: string) => {
    problems.push(`${place(path)}: ${pathText(path)}: ${problem}; ${fix}`);
    return "";
  };

  async function resolveText(text: string, path: ConfigPath): Promise<string> {
    let resolved: string;
    const key = String(path.at(-1));
    const isSecret =
      secretKeys.has(key) || (path[2] === "credentials" && (path[4] === "secrets" || credentialKeys.has(key)));
    if (text.startsWith("file:")) {
      const name = resolve(dirname(file), text.slice("file:".length));
      files.push(name);
      resolved = await readFile(name, "utf8").catch((error) =>
        miss(path, `the file ${name} cannot be read (${messageOf(error)})`, "create it or correct the path"),
      );
      resolved = resolved.trimEnd();
      for (const secret of secretsIn(resolved)) secrets.add(secret);
    } else {
      const plain = text.startsWith("$file:") ? text.slice(1) : text;
      resolved = plain.replace(variable, (whole, name?: string, fallback?: string) => {
        if (name === undefined) return whole.slice(1);
        const found = env[name];
        // A short value is a secret only where its name says so.
        if (found !== undefined && found.length >= minNamed && path.includes("env") && namesSecret(String(path.at(-1))))
          secrets.add(found);
        // A fallback stands in the file itself, so it is no secret.
        for (const secret of secretsIn(found ?? "")) secrets.add(secret);
        if (found === undefined && fallback === undefined)
          return miss(
            path,
            `the variable ${name} is not set`,
            // A default would be a secret in the file itself, which is refused.
            isSecret ? "set it where the gateway runs" : `set it, or write \${${name}:-default}`,
          );
        return found ?? (fallback as string);
      });
    }
    if (isSecret) secrets.add(resolved);
    return resolved;
  }

  async function walk(node: unknown, path: ConfigPath): Promise<unknown> {
    if (typeof node === "string") return resolveText(node, path);
    if (Array.isArray(node)) return Promise.all(node.map((item, index) => walk(item, [...path, index])));
    if (typeof node !== "object" || node === null) return node;
    const entries = Object.entries(node).map(async ([key, item]) => [key, await walk(item, [...path, key])] as const);
    return Object.fromEntries(await Promise.all(entries));
  }

  const resolved = (await walk(value, [])) as T;
  if (problems.length > 0) throw new FleetError("REFERENCE_UNRESOLVED", problems.join("\n"));
  return { value: resolved, secrets: [...secrets], files };
}
