import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { parseEnv } from "node:util";
import type { ClientServer } from "./client-server.ts";
import type { SecretKeeper } from "./secrets.ts";

/** What starts packages and images, wherever it stands. */
const runners = /(^|[\\/])(npx|bunx|uvx|pipx|docker|podman)(\.cmd|\.exe)?$/;

/** What the process of a server is made with. */
export interface ProcessContext {
  /** The project's folder, absolute. */
  readonly folder: string;
  readonly secrets: SecretKeeper;
  /** Rewrites a client's placeholders. */
  readonly translate: (text: string) => string;
  readonly note: (text: string) => void;
}

/** The `process` of a server: its command as the client starts it, with its secrets as references. */
export function processOf(server: ClientServer, context: ProcessContext): Record<string, unknown> {
  const { folder, secrets, translate } = context;
  const { command, args } = unwrapped(server);
  const said = args.map(translate);
  const cwd = folderOf(server, command, said, folder, translate);
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(variablesOfFile(server, context))) env[name] = value;
  for (const name of server.passedOn) env[name] = `\${${name}}`;
  for (const [name, value] of Object.entries(server.env)) env[name] = secrets.variable(name, translate(value));
  return {
    command: translate(command),
    ...(said.length > 0 && { args: secrets.arguments(said) }),
    ...(Object.keys(env).length > 0 && { env }),
    ...(cwd !== undefined && { cwd }),
  };
}

/** `cmd /c npx …` is how Windows starts a script. */
function unwrapped({ command = "", args }: ClientServer): {
  readonly command: string;
  readonly args: readonly string[];
} {
  const wrapped = /(^|[\\/])cmd(\.exe)?$/i.test(command) && args[0]?.toLowerCase() === "/c" && args[1] !== undefined;
  return wrapped ? { command: args[1] as string, args: args.slice(2) } : { command, args };
}

/** Clients start servers in the project's folder, the gateway in a temporary one. */
function folderOf(
  { cwd }: ClientServer,
  command: string,
  args: readonly string[],
  folder: string,
  translate: (text: string) => string,
): string | undefined {
  if (cwd !== undefined) return resolve(folder, translate(cwd));
  const relative = (word: string) =>
    /^\.{1,2}([\\/]|$)/.test(word) ||
    (!word.startsWith("-") && /[\\/.]/.test(word) && existsSync(resolve(folder, word)));
  return runners.test(command) && ![command, ...args].some(relative) ? undefined : folder;
}

/** Names of the variables of an `envFile`, as references: the gateway is started with them. */
function variablesOfFile(
  { envFile }: ClientServer,
  { folder, translate, note }: ProcessContext,
): Readonly<Record<string, string>> {
  if (envFile === undefined) return {};
  const file = resolve(folder, translate(envFile));
  if (!existsSync(file)) {
    note(`envFile was not taken over: ${file} does not exist; add its variables to process.env`);
    return {};
  }
  const names = Object.keys(parseEnv(readFileSync(file, "utf8")));
  if (names.length > 0)
    note(`set the variables of ${file} for the gateway (${names.join(", ")}); their values were not copied`);
  return Object.fromEntries(names.map((name) => [name, `\${${name}}`]));
}
