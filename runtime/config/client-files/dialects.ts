import { basename, resolve } from "node:path";
import { clientEntry, type EntryHabits } from "./client-entry.ts";
import type { ClientFile, ClientServer } from "./client-server.ts";
import { fieldsOf } from "./fields.ts";

const noInputs: ReadonlyMap<string, undefined> = new Map();

/**
 * Finds the servers of a parsed file by the keys that clients use:
 *
 * | Client | Key |
 * |---|---|
 * | Claude Desktop, Claude Code, Cursor, Windsurf, Cline, Gemini CLI | `mcpServers` |
 * | Claude Code, `~/.claude.json` | `projects.<folder>.mcpServers` besides |
 * | VS Code | `servers` and `inputs`, in `settings.json` below `mcp` |
 * | Zed | `context_servers` |
 * | Continue | `mcpServers`, a list |
 * | Codex | `mcp_servers` |
 * | opencode | `mcp`, or `mcp.servers` since version 2 |
 * | Goose | `extensions` |
 *
 * `folder` is the project, for files that hold several.
 */
export function readDialect(path: string, content: unknown, folder: string): ClientFile {
  const file = fieldsOf(content);
  const mcp = fieldsOf(file.mcp);
  if (Array.isArray(file.mcpServers)) return continueFile(file.mcpServers);
  if (file.mcpServers !== undefined || file.projects !== undefined) return mcpServersFile(path, file, folder);
  if (file.servers !== undefined) return vsCodeFile(file);
  if (file.context_servers !== undefined) return simpleFile(file.context_servers, "none");
  if (file.mcp_servers !== undefined) return simpleFile(file.mcp_servers, "none");
  if (file.extensions !== undefined && /\.ya?ml$/.test(path)) {
    return simpleFile(file.extensions, "none", { timeoutUnitMs: 1000 });
  }
  const isVsCode = basename(path) === "settings.json" || mcp.inputs !== undefined;
  if (mcp.servers !== undefined && isVsCode) return vsCodeFile(mcp);
  return simpleFile(mcp.servers ?? file.mcp, "opencode");
}

function simpleFile(servers: unknown, syntax: ClientFile["syntax"], habits?: EntryHabits): ClientFile {
  return { servers: entriesOf(servers, habits), inputs: noInputs, syntax };
}

function entriesOf(servers: unknown, habits?: EntryHabits): readonly ClientServer[] {
  return Object.entries(fieldsOf(servers)).map(([name, entry]) => clientEntry(name, entry, habits));
}

function mcpServersFile(path: string, file: Readonly<Record<string, unknown>>, folder: string): ClientFile {
  const gemini = /\.gemini[/\\]/.test(path) || basename(path) === "gemini-extension.json";
  const inSeconds = /cline|roo/i.test(path);
  const habits = { timeoutUnitMs: inSeconds ? 1000 : 1, urlIsSse: gemini };
  const project = Object.entries(fieldsOf(file.projects)).find(([name]) => resolve(name) === folder)?.[1];
  const servers = { ...fieldsOf(file.mcpServers), ...fieldsOf(fieldsOf(project).mcpServers) };
  const { allowed, excluded } = fieldsOf(file.mcp);
  const off = (name: string) =>
    (Array.isArray(allowed) && !allowed.includes(name)) || (Array.isArray(excluded) && excluded.includes(name));
  const entries = entriesOf(servers, habits).map((entry) => (off(entry.name) ? { ...entry, disabled: true } : entry));
  return { servers: entries, inputs: noInputs, syntax: gemini ? "shell" : "braces" };
}

function vsCodeFile({ servers, inputs }: Readonly<Record<string, unknown>>): ClientFile {
  const asked = (Array.isArray(inputs) ? inputs : []).map((input) => {
    const { id, default: usual, password } = fieldsOf(input);
    return [String(id), usual === undefined || password === true ? undefined : String(usual)] as const;
  });
  return { servers: entriesOf(servers), inputs: new Map(asked), syntax: "braces" };
}

function continueFile(list: readonly unknown[]): ClientFile {
  const servers = list.map((entry, index) => clientEntry(String(fieldsOf(entry).name ?? `server-${index + 1}`), entry));
  return { servers, inputs: noInputs, syntax: "continue" };
}
