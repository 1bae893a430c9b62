import { readdir, stat } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { FleetError, messageOf } from "../errors.ts";
import { resolveReferences } from "./references.ts";
import { resolveConfig } from "./resolve.ts";
import type { ResolvedConfig } from "./resolved.ts";
import {
  addressRules,
  type ConfigFile,
  type ConfigIssue,
  type ConfigPath,
  exactVersionRule,
  expressionsIn,
  issueText,
  validateConfig,
} from "./schema/index.ts";
import { type Place, SourceFile } from "./source-file.ts";
import { writtenSecrets } from "./written-secrets.ts";

/** A configuration that was read, found right, and made ready to run. */
export interface LoadedConfig {
  readonly config: ResolvedConfig;
  /** Values that must not be shown, in logs or elsewhere. */
  readonly secrets: readonly string[];
  /** Every file that had a part in it. */
  readonly files: readonly string[];
}

/** A place in one of the files of a configuration. */
export interface FilePlace extends Place {
  readonly file: string;
}

/** A mistake, and where it stands. */
export interface PlacedIssue extends ConfigIssue, FilePlace {}

/** Of the files of a configuration. */
export const extensions: ReadonlySet<string> = new Set([".yaml", ".yml", ".json"]);

/**
 * Reads a configuration: a YAML or JSON file, or a folder with `gateway.yaml` and one `servers/<name>.yaml` per server
 * (or `.json`). Rejects with CONFIG_INVALID, naming every mistake with file, line, column and fix; with
 * CONFIG_UNREADABLE or REFERENCE_UNRESOLVED.
 */
export async function loadConfig(path: string, { env = process.env } = {}): Promise<LoadedConfig> {
  const { value, files, issues, place } = await readConfig(path);
  if (issues.length > 0) throw invalid(issues);
  const written = value as ConfigFile;
  const resolved = await resolveReferences(written, { file: path, env, place: (at) => placeText(place(at)) });
  const { servers } = resolved.value;
  checkResolved(servers, path);
  const all = [...files, ...resolved.files];
  return {
    config: { ...resolveConfig(resolved.value, written), files: all },
    secrets: [...new Set([...resolved.secrets, ...writtenSecrets(servers)])],
    files: all,
  };
}

/** A reference can bring what would be refused where it stands in the file. Throws CONFIG_INVALID. */
function checkResolved(servers: ConfigFile["servers"], file: string): void {
  const lines: string[] = [];
  for (const [name, server] of Object.entries(servers)) {
    const add = (field: ConfigPath, message: string, fix: string) => {
      lines.push(`${file}: ${issueText({ path: ["servers", name, ...field], message, fix })}`);
    };
    addressRules(server, add);
    exactVersionRule(server, add);
  }
  if (lines.length > 0) throw new FleetError("CONFIG_INVALID", lines.join("\n"), { data: { issues: lines.length } });
}

/** A configuration as it was read, before its references are resolved. */
export interface ReadConfig {
  readonly value: unknown;
  readonly files: string[];
  /** In the order of the files. */
  readonly issues: PlacedIssue[];
  readonly place: (path: ConfigPath) => FilePlace;
}

/** Reads a configuration and lists its mistakes. */
export async function readConfig(path: string): Promise<ReadConfig> {
  const folder = await stat(path).then(
    (found) => found.isDirectory(),
    (error) => {
      throw new FleetError(
        "CONFIG_UNREADABLE",
        `${path} cannot be read (${messageOf(error)}); give the path of a configuration file`,
      );
    },
  );
  if (folder) return readFolder(path);
  const source = await SourceFile.read(path);
  const place = (at: ConfigPath) => ({ file: path, ...source.place(at) });
  return { value: source.value, files: [path], issues: await issuesOf(source.value, place), place };
}

async function readFolder(path: string): Promise<ReadConfig> {
  const [gatewayFile] = (await list(path)).filter((file) => basename(file, extname(file)) === "gateway");
  const gateway = gatewayFile === undefined ? undefined : await SourceFile.read(gatewayFile);
  const sources = await Promise.all((await list(join(path, "servers"))).map((file) => SourceFile.read(file)));
  const servers = new Map(sources.map((source) => [basename(source.path, extname(source.path)), source]));
  const value = {
    ...(gateway === undefined ? {} : { gateway: gateway.value }),
    servers: Object.fromEntries([...servers].map(([name, source]) => [name, source.value])),
  };
  const place = (at: ConfigPath) => {
    const [section, name] = at;
    const inGateway = section === "gateway";
    const source = inGateway ? gateway : servers.get(String(name));
    return {
      file: source?.path ?? path,
      ...(source?.place(at.slice(inGateway ? 1 : 2)) ?? { line: 1, column: 1 }),
    };
  };
  return {
    value,
    files: [...(gateway === undefined ? [] : [gateway.path]), ...sources.map((source) => source.path)],
    issues: await issuesOf(value, place),
    place,
  };
}

/** Every mistake; the engine of expressions is loaded only when there are some. */
async function issuesOf(value: unknown, place: ReadConfig["place"]): Promise<PlacedIssue[]> {
  const issues = validateConfig(value);
  const gateway = (value as { readonly gateway?: unknown } | null)?.gateway;
  if (expressionsIn(gateway).length > 0) {
    const { conditionIssues } = await import("./schema/conditions.ts");
    issues.push(...conditionIssues(gateway).map((issue) => ({ ...issue, path: ["gateway", ...issue.path] })));
  }
  return issues.map((issue) => ({ ...issue, ...place(issue.path) })).sort(byPlace);
}

function byPlace(a: PlacedIssue, b: PlacedIssue): number {
  return a.file.localeCompare(b.file) || a.line - b.line || a.column - b.column;
}

async function list(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names
    .filter((name) => extensions.has(extname(name)) && !name.startsWith("."))
    .sort()
    .map((name) => join(folder, name));
}

const placeText = ({ file, line, column }: FilePlace): string => `${file}:${line}:${column}`;

function invalid(issues: readonly PlacedIssue[]): FleetError {
  const lines = issues.map((issue) => `${placeText(issue)}: ${issueText(issue)}`);
  return new FleetError("CONFIG_INVALID", lines.join("\n"), { data: { issues: issues.length } });
}
