import { ServerType, serverNamePattern } from "./schema/index.ts";

/** One server as Claude, Cursor and VS Code write it in their own files. */
interface ClientEntry {
  readonly type?: string;
  readonly command?: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly url?: string;
}

/** A configuration made from a client's file, and what its user should know. */
export interface ConvertedConfig {
  readonly servers: Readonly<Record<string, Record<string, unknown>>>;
  readonly notes: readonly string[];
}

/** npm packages that a preset stands for. */
const presetPackages: readonly (readonly [string, ServerType])[] = [
  ["@upstash/context7-mcp", ServerType.Context7],
  ["@modelcontextprotocol/server-sequential-thinking", ServerType.Sequential],
  ["@21st-dev/magic", ServerType.Magic],
  ["@playwright/mcp", ServerType.Playwright],
];
const secretName = /KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL/i;

/**
 * Servers of a `.mcp.json`, `claude_desktop_config.json` or Cursor or VS Code `mcp.json`. Known packages become presets;
 * secrets become references, so that the new file may be shared.
 */
export function convertClientConfig(file: unknown): ConvertedConfig {
  const { mcpServers, servers } = (file ?? {}) as {
    mcpServers?: Record<string, ClientEntry>;
    servers?: Record<string, ClientEntry>;
  };
  const converted: Record<string, Record<string, unknown>> = {};
  const notes: string[] = [];
  for (const [given, entry] of Object.entries(mcpServers ?? servers ?? {})) {
    const name = freeName(given, converted);
    if (name !== given) notes.push(`${given} is called ${name} here: names are lower case letters, digits and hyphens`);
    if (entry.type === "sse")
      notes.push(`${given} was left out: its transport (HTTP+SSE of 2024-11-05) is not supported`);
    else if (entry.url !== undefined) converted[name] = { type: "custom", endpoints: [entry.url] };
    else if (entry.command === undefined) notes.push(`${given} was left out: it has neither command nor url`);
    else converted[name] = presetOf(entry) ?? custom(name, entry, notes);
  }
  return { servers: converted, notes };
}

/** Only an entry without options of its own is the same as the preset. */
function presetOf({ command, args = [], env = {} }: ClientEntry): Record<string, unknown> | undefined {
  const words = args.filter((word) => word !== "-y" && word !== "--yes");
  if (!/(^|\/)(npx|bunx)$/.test(command ?? "") || words.length !== 1 || Object.keys(env).length > 0) return undefined;
  for (const [packageName, type] of presetPackages) {
    if (words[0] === packageName || words[0] === `${packageName}@latest`) return { type };
    if (words[0]?.startsWith(`${packageName}@`)) return { type, version: words[0].slice(packageName.length + 1) };
  }
  return undefined;
}

function custom(name: string, { command, args, env = {}, cwd }: ClientEntry, notes: string[]): Record<string, unknown> {
  const safe = Object.entries(env).map(([key, value]) => {
    if (!secretName.test(key) || value.startsWith("${")) return [key, value];
    notes.push(`${name}: set the environment variable ${key} for the gateway; its value was not copied`);
    return [key, `\${${key}}`];
  });
  return {
    type: "custom",
    process: {
      command,
      ...(args && { args }),
      ...(safe.length > 0 && { env: Object.fromEntries(safe) }),
      ...(cwd && { cwd }),
    },
  };
}

function freeName(given: string, taken: Readonly<Record<string, unknown>>): string {
  const slug = given
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, 28)
    .replace(/^-+|-+$/g, "");
  const base = new RegExp(serverNamePattern).test(slug) ? slug : "server";
  let name = base;
  for (let count = 2; name in taken; count += 1) name = `${base}-${count}`;
  return name;
}
