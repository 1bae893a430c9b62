import { readdir, stat } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { FleetError, messageOf } from "../errors.ts";
import { resolveReferences } from "./references.ts";
import { resolveConfig } from "./resolve.ts";
import type { ResolvedConfig } from "./resolved.ts";
import {
  type ConfigFile,
  type ConfigIssue,
  type ConfigPath,
  exactVersionRule,
  expressionsIn,
  issueText,
  userInformationRule,
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

/** A mistake, and where it stands. */
export interface PlacedIssue extends ConfigIssue, Place {
  readonly file: string;
}

/** Of the files of a configuration. */
export const extensions: ReadonlySet<string> = new Set([".yaml", ".yml", ".json"]);

/**
 * Reads a configuration: a YAML or JSON file, or a folder with `gateway.yaml` and one `servers/<name>.yaml` per server
 * (or `.json`). Rejects with CONFIG_INVALID, naming every mistake with file, line, column and fix; with
 * CONFIG_UNREADABLE or REFERENCE_UNRESOLVED.
 */
export async function loadConfig(path: string, { env = process.env } = {}): Promise<LoadedConfig> {
  const { value, files, issues } = await readConfig(path);
  if (issues.length > 0) throw invalid(issues);
  const written = value as ConfigFile;
  const resolved = await resolveReferences(written, path, env);
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
    userInformationRule(server, add);
    exactVersionRule(server, add);
  }
  if (lines.length > 0) throw new FleetError("CONFIG_INVALID", lines.join("\n"), { data: { issues: lines.length } });
}

/** Reads a configuration and lists its mistakes. */
export async function readConfig(path: string): Promise<{ value: unknown; files: string[]; issues: PlacedIssue[] }> {
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
  const found = await issuesOf(source.value);
  const issues = found.map((issue) => ({ ...issue, file: path, ...source.place(issue.path) }));
  return { value: source.value, files: [path], issues: issues.sort(byPlace) };
}

async function readFolder(path: string): Promise<{ value: unknown; files: string[]; issues: PlacedIssue[] }> {
  const [gatewayFile] = (await list(path)).filter((file) => basename(file, extname(file)) === "gateway");
  const gateway = gatewayFile === undefined ? undefined : await SourceFile.read(gatewayFile);
  const sources = await Promise.all((await list(join(path, "servers"))).map((file) => SourceFile.read(file)));
  const servers = new Map(sources.map((source) => [basename(source.path, extname(source.path)), source]));
  const value = {
    ...(gateway === undefined ? {} : { gateway: gateway.value }),
    servers: Object.fromEntries([...servers].map(([name, source]) => [name, source.value])),
  };
  const issues = (await issuesOf(value)).map((issue) => {
    const [section, name] = issue.path;
    const inGateway = section === "gateway";
    const source = inGateway ? gateway : servers.get(String(name));
    return {
      ...issue,
      file: source?.path ?? path,
      ...(source?.place(issue.path.slice(inGateway ? 1 : 2)) ?? { line: 1, column: 1 }),
    };
  });
  return {
    value,
    files: [...(gateway === undefined ? [] : [gateway.path]), ...sources.map((source) => source.path)],
    issues: issues.sort(byPlace),
  };
}

/** Every mistake; the engine of expressions is loaded only when there are some. */
async function issuesOf(value: unknown): Promise<ConfigIssue[]> {
  const issues = validateConfig(value);
  const gateway = (value as { readonly gateway?: unknown } | null)?.gateway;
  if (expressionsIn(gateway).length === 0) return issues;
  const { conditionIssues } = await import("./schema/conditions.ts");
  return [...issues, ...conditionIssues(gateway).map((issue) => ({ ...issue, path: ["gateway", ...issue.path] }))];
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

function invalid(issues: readonly PlacedIssue[]): FleetError {
  const lines = issues.map((issue) => `${issue.file}:${issue.line}:${issue.column}: ${issueText(issue)}`);
  return new FleetError("CONFIG_INVALID", lines.join("\n"), { data: { issues: issues.length } });
}
