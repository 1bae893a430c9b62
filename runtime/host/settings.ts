import { join } from "node:path";
import { parse } from "yaml";
import { type ResolvedConfig, resolveConfig } from "../config/index.ts";
import { resolveReferences } from "../config/references.ts";
import {
  type ConfigFile,
  Isolation,
  issueText,
  type Log,
  type Server,
  validateServer,
} from "../config/schema/index.ts";
import { writtenSecrets } from "../config/written-secrets.ts";
import { FleetError, messageOf } from "../errors.ts";

/** What `mcp-fleet host` is told, by options or by the environment of its container. */
export interface HostOptions {
  /** The server's name in metrics, logs and REST paths. Defaults to its type. */
  readonly name?: string;
  /** A preset, or `custom`. Defaults to `custom`. */
  readonly type?: string;
  /** Version of a preset's package. */
  readonly serverVersion?: string;
  /** The server as under `servers.<name>` of a configuration file, YAML or JSON; the other options win over it. */
  readonly server?: string;
  /** Command line of a custom server. Defaults to none. */
  readonly command?: readonly string[];
  readonly host: string;
  readonly port: number;
  /** File with the bearer token that callers send. Defaults to none. */
  readonly tokenFile?: string;
  /** `Host` header names accepted besides loopback ones and addresses. Defaults to none. */
  readonly allowedHost?: readonly string[];
  readonly logLevel?: string;
  /** Writes the load to the log so often, in seconds. Defaults to never. */
  readonly loadLog?: number;
  /** How long calls in flight may go on when it stops, in milliseconds. Defaults to 10000. */
  readonly drainMs?: number;
}

/** A server host's configuration, ready to run. */
export interface HostConfig {
  readonly name: string;
  readonly config: ResolvedConfig;
  readonly secrets: readonly string[];
  /** Milliseconds between two lines about the load; undefined for none. */
  readonly loadLogMs?: number | undefined;
}

/**
 * The configuration of a gateway with this one server. Rejects with CONFIG_INVALID, naming the option, or with
 * REFERENCE_UNRESOLVED.
 */
export async function hostConfig(options: HostOptions, env = process.env): Promise<HostConfig> {
  const server = serverOf(options);
  const name = options.name ?? server.type;
  const { host, port, tokenFile, allowedHost = [], logLevel } = options;
  const file: ConfigFile = {
    gateway: {
      ...{ host, port, allowedHosts: [...allowedHost] },
      ...(tokenFile === undefined ? {} : { auth: { bearerTokens: [{ name: "host", token: `file:${tokenFile}` }] } }),
      ...(options.drainMs === undefined ? {} : { drainMs: options.drainMs }),
      ...(logLevel === undefined ? {} : { log: { level: logLevel as Log["level"] } }),
    },
    servers: { [name]: server },
  };
  const { value, secrets } = await resolveReferences(file, { file: join(process.cwd(), "mcp-fleet host"), env });
  const loadLogMs = options.loadLog === undefined ? undefined : options.loadLog * 1000;
  const known = [...new Set([...secrets, ...writtenSecrets(value.servers)])];
  return {
    name,
    config: resolveConfig(value, file),
    secrets: known,
    ...(loadLogMs === undefined ? {} : { loadLogMs }),
  };
}

function serverOf({ server: text, type, serverVersion, command = [] }: HostOptions): Server {
  const given = text === undefined ? {} : parsed(text);
  const process = command.length === 0 ? undefined : { command: command[0], args: command.slice(1) };
  const server = {
    type: "custom",
    // A host is there for this server alone.
    required: true,
    ...given,
    ...(type === undefined ? {} : { type }),
    ...(serverVersion === undefined ? {} : { version: serverVersion }),
    ...(process === undefined ? {} : { process: { ...(given.process as object | undefined), ...process } }),
  };
  const issues = validateServer(server);
  if (issues.length === 0) return tellingApart(server as Server);
  const messages = issues.map((issue) => `mcp-fleet host: ${issueText(issue)}`).join("\n");
  throw new FleetError("CONFIG_INVALID", messages, { data: { issues: issues.length } });
}

/**
 * A host sees gateways, not the callers behind them: with `isolation: caller` all callers of a gateway would meet in one
 * process. A gateway opens a session for each of its callers, so `session` keeps them apart.
 */
function tellingApart(server: Server): Server {
  if (server.isolation !== Isolation.Caller) return server;
  const problem = 'isolation is "caller", but a host cannot tell the callers of a gateway apart';
  const fix = 'set it to "session" here and keep "caller" at the gateway, which opens a session for each caller';
  throw new FleetError("CONFIG_INVALID", `mcp-fleet host: ${problem}; ${fix}`);
}

function parsed(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = parse(text);
  } catch (error) {
    throw new FleetError("CONFIG_INVALID", `mcp-fleet host: --server is not YAML or JSON (${messageOf(error)})`);
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  const fix = "write it as under servers.<name> of a configuration file";
  throw new FleetError("CONFIG_INVALID", `mcp-fleet host: --server is no block of keys; ${fix}`);
}
