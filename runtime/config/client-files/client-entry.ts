import type { ClientServer, ClientTransport, HeaderVariable } from "./client-server.ts";
import { EntryFields, fieldsOf } from "./fields.ts";

const transports: Readonly<Record<string, ClientTransport>> = {
  stdio: "stdio",
  local: "stdio",
  http: "http",
  "streamable-http": "http",
  streamable_http: "http",
  streamablehttp: "http",
  sse: "sse",
  ws: "ws",
  websocket: "ws",
};
/** Fields that say nothing about how the server is run. */
const silent = ["name", "description", "source", "display_name", "bundled", "$schema"];

/** What differs between clients that use the same names. */
export interface EntryHabits {
  /** What `timeout` counts, in milliseconds. Undefined where it is not the time of one call. */
  readonly timeoutUnitMs?: number;
  /** A `url` without a type is HTTP+SSE (Gemini CLI). Defaults to false. */
  readonly urlIsSse?: boolean;
}

/** One entry, read by every name that a client gives to a field. */
export function clientEntry(name: string, value: unknown, { timeoutUnitMs, urlIsSse }: EntryHabits = {}): ClientServer {
  const fields = new EntryFields(value);
  fields.raw(...silent);
  const { command, args, env } = commandOf(fields);
  const httpUrl = fields.text("httpUrl");
  const url = httpUrl ?? fields.text("url", "serverUrl", "uri");
  const said = fields.text("type", "transport")?.toLowerCase();
  const bearer = fields.text("bearer_token_env_var");
  const timeout = timeoutUnitMs === undefined ? undefined : fields.number("timeout");
  const callSeconds = fields.number("tool_timeout_sec");
  const startSeconds = fields.number("startup_timeout_sec");
  return {
    name,
    transport:
      (said && transports[said]) || (httpUrl === undefined && url !== undefined && urlIsSse ? "sse" : undefined),
    command,
    args,
    env: { ...env, ...fields.map("env", "environment", "envs") },
    passedOn: passedOn(fields.raw("env_vars", "env_keys")),
    envFile: fields.text("envFile"),
    cwd: fields.text("cwd"),
    url,
    headers: {
      ...fields.map("headers", "http_headers"),
      ...new EntryFields(fields.raw("requestOptions")).map("headers"),
    },
    headerVariables: headerVariables(fields.map("env_http_headers"), bearer),
    disabled: fields.raw("disabled") === true || fields.raw("enabled") === false,
    requestMs: timeout === undefined ? seconds(callSeconds) : timeout * (timeoutUnitMs as number),
    connectMs: seconds(startSeconds) ?? fields.number("startup_timeout_ms"),
    allow: fields.texts("includeTools", "enabled_tools", "available_tools"),
    deny: fields.texts("excludeTools", "disabled_tools", "disabledTools"),
    ignored: fields.unread,
  };
}

/** A text, an array of words (opencode), or an object with the path (Zed). */
function commandOf(fields: EntryFields): Pick<ClientServer, "command" | "args" | "env"> {
  const command = fields.raw("command", "cmd");
  const args = fields.texts("args") ?? [];
  const env = {};
  if (Array.isArray(command))
    return { command: command.map(String)[0], args: [...command.slice(1).map(String), ...args], env };
  if (typeof command !== "object") return { command: command === undefined ? undefined : String(command), args, env };
  const nested = new EntryFields(command);
  return { command: nested.text("path"), args: nested.texts("args") ?? args, env: nested.map("env") };
}

/** Names of variables, or objects with a name (Codex). */
function passedOn(value: unknown): readonly string[] {
  if (!Array.isArray(value)) return [];
  return value.map((item) => (typeof item === "string" ? item : String(fieldsOf(item).name)));
}

function headerVariables(
  variables: Readonly<Record<string, string>>,
  bearer: string | undefined,
): ClientServer["headerVariables"] {
  const all: Record<string, HeaderVariable> = {};
  if (bearer !== undefined) all.Authorization = { variable: bearer, scheme: "Bearer" };
  for (const [name, variable] of Object.entries(variables)) all[name] = { variable, scheme: undefined };
  return all;
}

function seconds(value: number | undefined): number | undefined {
  return value === undefined ? undefined : value * 1000;
}
