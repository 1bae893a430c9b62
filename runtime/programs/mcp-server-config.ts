import { type Fields, refuseUnknown } from "../config/known-fields.ts";
import type { Server } from "../config/schema/index.ts";
import { issueText, type ServerType, serverNamePattern, validateServer } from "../config/schema/index.ts";
import { FleetError } from "../errors.ts";

/** A server, in the words of the specification. */
export interface MCPServerConfig {
  /** Lower case letters, digits and hyphens, at most 32 characters. */
  readonly name: string;
  /** A preset, or `custom`. A preset with an `endpoint` is reached there instead of being started. */
  readonly type: ServerType;
  /** Of a preset's package that is started here, which defaults to the one that the preset pins; else what is shown as the server's version. */
  readonly version?: string;
  /** A URL, or a host name beside `protocol` and `port`. Defaults to none: a preset is started here. */
  readonly endpoint?: string;
  /** Defaults to `http` (Streamable HTTP). */
  readonly protocol?: "ws" | "http" | "tcp";
  /** Added to an endpoint without one. */
  readonly port?: number;
  readonly scaling?: {
    readonly minInstances?: number;
    readonly maxInstances?: number;
    /**
     * What each process of the server is to use of a processor, in percent; another one is started when they use more. At an `endpoint`, which something
     * else scales, calls go to the instance that says that it uses the least (`loadBalancer.strategy: resource-based`).
     */
    readonly targetCpuPercent?: number;
    /** The same of memory: of `settings.limits.memoryMiB`, or of the machine's memory divided by `maxInstances`. */
    readonly targetMemoryPercent?: number;
  };
  readonly security?: {
    /** Sent to the server as `Authorization: Bearer …`. Defaults to none. */
    readonly apiKey?: string;
    /** Browser origins that can call the orchestrator's port and read its answers (CORS). Defaults to loopback pages, without CORS. */
    readonly corsOrigins?: readonly string[];
    /** Speak TLS to an endpoint that does not name its scheme. Defaults to false. */
    readonly tlsEnabled?: boolean;
    /** Requests to the server per window: `maxRequests` of this program, and `maxRequests` of all clients of the port together. Defaults to any number. */
    readonly rateLimiting?: { readonly windowMs: number; readonly maxRequests: number };
  };
  /** More settings, as in a configuration file. Defaults to none. */
  readonly settings?: Partial<Server>;
}

const fields: Fields<MCPServerConfig> = {
  name: "any",
  type: "any",
  version: "any",
  endpoint: "any",
  protocol: "any",
  port: "any",
  scaling: { minInstances: "any", maxInstances: "any", targetCpuPercent: "any", targetMemoryPercent: "any" },
  security: {
    apiKey: "any",
    corsOrigins: "any",
    tlsEnabled: "any",
    rateLimiting: { windowMs: "any", maxRequests: "any" },
  },
  settings: "any",
};

/**
 * The server as a configuration file has it. `listens`: the program serves clients, which must not meet. Throws CONFIG_INVALID with the server, the
 * field and what is right.
 */
export function serverOf(config: MCPServerConfig, listens = false): Server {
  const { name, type, version, endpoint, scaling, security, settings } = config;
  const refuse = (problem: string): never => {
    throw new FleetError("CONFIG_INVALID", `server "${name}": ${problem}`);
  };
  if (!new RegExp(serverNamePattern).test(name))
    refuse("name may have lower case letters, digits and hyphens, at most 32 characters");
  refuseUnknown(`server "${name}"`, config, fields);
  if (endpoint === undefined)
    for (const field of ["protocol", "port"] as const)
      if (config[field] !== undefined)
        refuse(`${field} is for a server with an endpoint; add the endpoint, or remove it`);
  if (endpoint === undefined && security?.tlsEnabled === true)
    refuse("security.tlsEnabled is for a server with an endpoint; add the endpoint, or remove it");
  const limit = security?.rateLimiting;
  for (const [field, value] of Object.entries(limit ?? {}))
    if (!Number.isInteger(value) || value < 1)
      refuse(`security.rateLimiting.${field} is ${value}; it must be a whole number from 1`);
  if (security?.apiKey !== undefined && endpoint === undefined)
    refuse(
      "security.apiKey is for a server with an endpoint; give a server that is started here its secret in its environment",
    );
  const reached = endpoint === undefined ? {} : { endpoints: [urlOf(endpoint, config, refuse)] };
  const server = {
    type,
    ...(version === undefined ? {} : { version }),
    // Only this program calls an endpoint without `listen`, so its sessions can be shared.
    ...(endpoint === undefined || listens ? {} : { isolation: "shared" as const }),
    ...(limit === undefined || !listens ? {} : { rateLimiting: { ...limit } }),
    ...reached,
    ...(endpoint === undefined ? startedScaling(scaling) : reachedScaling(scaling)),
    ...settings,
  };
  const issues = validateServer(server);
  if (issues.length > 0) refuse(issues.map(issueText).join("; "));
  const { apiKey } = security ?? {};
  // Checked without it: files hold references, a program holds the secret itself.
  return apiKey === undefined ? server : { ...server, credentials: { header: { scheme: "Bearer", value: apiKey } } };
}

type Scaling = MCPServerConfig["scaling"];

const startedScaling = (scaling: Scaling): Pick<Server, "scaling"> => (scaling === undefined ? {} : { scaling });

/** At an endpoint the targets say by what calls are placed: nothing can be started there. */
function reachedScaling(scaling: Scaling): Pick<Server, "scaling" | "loadBalancer"> {
  const { targetCpuPercent, targetMemoryPercent, ...bounds } = scaling ?? {};
  return {
    ...startedScaling(Object.keys(bounds).length === 0 ? undefined : bounds),
    ...(targetCpuPercent === undefined && targetMemoryPercent === undefined
      ? {}
      : { loadBalancer: { strategy: "resource-based" } }),
  };
}

const schemes = { http: ["http", "https"], ws: ["ws", "wss"], tcp: ["tcp", "tcp"] } as const;

function urlOf(
  endpoint: string,
  { protocol = "http", port, security }: MCPServerConfig,
  refuse: (problem: string) => never,
): string {
  const secure = security?.tlsEnabled === true;
  if (secure && protocol === "tcp") refuse("security.tlsEnabled is true, which protocol tcp cannot; use ws or http");
  const known = schemes[protocol] ?? refuse(`protocol is "${protocol}"; it must be http, ws or tcp`);
  const text = /^[a-z][a-z0-9+.-]*:\/\//.test(endpoint) ? endpoint : `${known[Number(secure)]}://${endpoint}`;
  if (!URL.canParse(text)) refuse(`endpoint is "${endpoint}", which is no URL`);
  const url = new URL(text);
  if (!(known as readonly string[]).includes(url.protocol.slice(0, -1)))
    refuse(`endpoint is "${endpoint}", which protocol ${protocol} cannot reach`);
  if (url.port === "" && port !== undefined) url.port = String(port);
  // A bare host name stands for the path that servers of Streamable HTTP usually have.
  if (protocol === "http" && url.pathname === "/") url.pathname = "/mcp";
  return protocol === "tcp" ? `tcp://${url.host}` : url.href;
}
