import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { shownAddress } from "../shown-source.ts";
import { addressesOf, addressRules } from "./address-rules.ts";
import { authRules, redisRule, secretRule } from "./auth-rules.ts";
import { confinementRules, nestingRules } from "./confinement-rules.ts";
import { credentialRules } from "./credential-rules.ts";
import { explain } from "./explain.ts";
import type { ConfigFile } from "./file.ts";
import type { Gateway } from "./gateway.ts";
import type { ConfigIssue, ConfigPath } from "./issue.ts";
import schema from "./mcp-fleet.schema.json" with { type: "json" };
import {
  Isolation,
  isLoopback,
  protocolOf,
  serverNamePattern,
  type UpstreamProtocol,
  usualIsolation,
} from "./names.ts";
import { protectionRules } from "./protection-rules.ts";
import type { Server } from "./server.ts";
import { upstreamTlsRules } from "./upstream-tls-rules.ts";
import { exactVersionRule } from "./version-rule.ts";

const { gateway: gatewaySchema, servers: serversSchema } = schema.properties;
const serverSchema = serversSchema.patternProperties[serverNamePattern];

/** Load balancing strategies of the gateway's own; others begin with `custom:`. */
const strategies = ["round-robin", "least-connections", "weighted", "resource-based"];

/** Compiled when first used, kept for good: compiling takes longer than checking. */
const compiled = new Map<object, ValidateFunction>();

/** Every mistake in a whole configuration file, in the order of the file. */
export function validateConfig(value: unknown): ConfigIssue[] {
  const issues = check(schema, value, []);
  if (issues.length > 0) return issues;
  const { gateway, servers } = value as ConfigFile;
  return [
    ...fallbackRules(servers),
    ...nestingRules(servers),
    ...(gateway === undefined ? [] : gatewayRules(gateway, ["gateway"])),
    ...Object.entries(servers).flatMap(([name, server]) => serverRules(server, ["servers", name])),
  ];
}

/** Every mistake in one server; paths begin at the server. */
export function validateServer(server: unknown): ConfigIssue[] {
  const issues = check(serverSchema, server, []);
  return issues.length > 0 ? issues : serverRules(server as Server, []);
}

/** Every mistake in the gateway's section; paths begin there. */
export function validateGateway(gateway: unknown): ConfigIssue[] {
  const issues = check(gatewaySchema, gateway, []);
  return issues.length > 0 ? issues : gatewayRules(gateway as Gateway, []);
}

/** Every mistake against any schema whose compiled form may be kept, in the same words; paths begin at the value. */
export function validateAgainst(schema: object, value: unknown): ConfigIssue[] {
  return check(schema, value, []);
}

function check(schema: object, value: unknown, path: ConfigPath): ConfigIssue[] {
  let validate = compiled.get(schema);
  if (validate === undefined) {
    validate = new Ajv2020({ allErrors: true, verbose: true, strict: false }).compile(schema);
    compiled.set(schema, validate);
  }
  if (validate(value)) return [];
  return (validate.errors ?? []).map(explain).map((issue) => ({ ...issue, path: [...path, ...issue.path] }));
}

/** The namespaces of MCP's own methods. */
const standard =
  /^(?:tools|prompts|resources|completion|logging|tasks|subscriptions|server|notifications|roots|sampling|elicitation)\//;

/** What addresses that are not known yet have to speak. */
const spokenAt = (protocol: UpstreamProtocol | undefined): UpstreamProtocol =>
  protocol === undefined || protocol === "sse" || protocol === "stdio" ? "http" : protocol;

/** What JSON Schema cannot say well of a server. */
function serverRules(server: Server, path: ConfigPath): ConfigIssue[] {
  const { type, process, endpoints, discovery, protocol, isolation, scaling, tools, healthCheck } = server;
  const { credentials, batching, pool, methods } = server;
  const issues: ConfigIssue[] = [];
  const add = (field: ConfigPath, message: string, fix: string) =>
    issues.push({ path: [...path, ...field], message, fix });
  if (batching !== undefined) {
    const spoken = protocol ?? (process !== undefined ? "stdio" : protocolOf(endpoints?.[0] ?? "http:"));
    if (spoken !== "http" || type !== "custom")
      add(["batching"], "is for servers over HTTP", "remove it; on other connections requests are pipelined anyway");
    else if (credentials !== undefined)
      add(
        ["batching"],
        "stands beside credentials, which a batch of many callers cannot carry",
        "remove one of the two",
      );
  }
  if (type === "custom") {
    if (process === undefined && endpoints === undefined && discovery === undefined)
      add([], "has no source of instances", "add process, endpoints or discovery");
    if (process !== undefined && endpoints !== undefined)
      add(["endpoints"], "stands beside process", "keep one of the two");
  } else {
    if (process !== undefined)
      add(["process"], `stands beside the preset "${type}"`, "remove it, or set type to custom");
    exactVersionRule(server, add);
  }
  if (discovery !== undefined && (process ?? endpoints) !== undefined)
    add(["discovery"], `stands beside ${process === undefined ? "endpoints" : "process"}`, "keep one of the two");
  if (discovery !== undefined && Object.keys(discovery).length === 0)
    add(["discovery"], "is empty", "add static, dns, kubernetes or docker");
  const { urls, known } = addressesOf(server);
  addressRules(server, add);
  const remote = urls.length > 0 || discovery !== undefined;
  const natural = known[0] !== undefined ? protocolOf(known[0]) : remote ? spokenAt(protocol) : "stdio";
  if (pool !== undefined && (protocol ?? natural) !== "http") {
    const fix = "remove it: one connection carries all calls of a session";
    add(["pool"], `is set for a server that is reached over ${protocol ?? natural}`, fix);
  }
  if (healthCheck?.path !== undefined && (natural !== "http" || !remote)) {
    add(
      ["healthCheck", "path"],
      `is set for a server that is reached over ${natural}`,
      "remove it: such servers are checked by ping",
    );
  }
  if (protocol === "stdio" && remote) {
    add(["protocol"], 'is "stdio", which nothing that something else runs speaks', "leave it out");
  } else if (protocol !== undefined && protocol !== natural && !(protocol === "sse" && natural === "http")) {
    const source = urls.length === 0 ? "a process" : `an endpoint like ${shownAddress(urls[0] as string)}`;
    add(["protocol"], `is "${protocol}", which ${source} does not speak`, `set it to ${natural} or leave it out`);
  }
  const strategy = server.loadBalancer?.strategy ?? "least-connections";
  if (!strategies.includes(strategy) && !strategy.startsWith("custom:")) {
    const fix = `give one of ${strategies.join(", ")}, or custom:<name> for one that your program registers`;
    add(["loadBalancer", "strategy"], `is "${strategy}"`, fix);
  }
  confinementRules(server, add);
  upstreamTlsRules(server, known, add);
  if (credentials !== undefined) credentialRules(credentials, protocol ?? natural, add);
  const { minInstances, maxInstances } = scaling ?? {};
  if (minInstances !== undefined && maxInstances !== undefined && minInstances > maxInstances) {
    const fix = "raise maxInstances or lower minInstances";
    add(["scaling", "minInstances"], `is ${minInstances}, more than maxInstances (${maxInstances})`, fix);
  }
  const settled = isolation ?? usualIsolation[type];
  for (const target of ["targetInFlight", "targetCpuPercent", "targetMemoryPercent"] as const) {
    if (scaling?.[target] === undefined) continue;
    if (remote) {
      const source = discovery === undefined ? "endpoints" : "discovery";
      add(["scaling", target], `is given, but the instances at its ${source} are externally managed`, "remove it");
    } else if (settled !== Isolation.Shared) {
      const fix = "remove it, or set isolation to shared";
      add(["scaling", target], `is given, but isolation is "${settled}", which gives each its own process`, fix);
    }
  }
  for (const [index, method] of (methods?.allow ?? []).entries()) {
    if (!standard.test(method)) continue;
    const fix = "remove it: the gateway decides about the methods of MCP itself; use tools or gateway.authorization";
    add(["methods", "allow", index], `is "${method}", a method of MCP`, fix);
  }
  if (tools?.allow !== undefined && tools.deny !== undefined) {
    add(["tools", "deny"], "stands beside allow", "keep one of the two");
  }
  return issues;
}

/** Fallbacks are servers of the same file, and lead nowhere in circles. */
function fallbackRules(servers: Readonly<Record<string, Server>>): ConfigIssue[] {
  const issues: ConfigIssue[] = [];
  const leadsTo = (from: string, goal: string, seen: Set<string>): boolean =>
    (servers[from]?.fallback ?? []).some((name) => {
      if (name === goal) return true;
      return !seen.has(name) && leadsTo(name, goal, seen.add(name));
    });
  for (const [server, { fallback }] of Object.entries(servers)) {
    for (const [index, name] of (fallback ?? []).entries()) {
      const path = ["servers", server, "fallback", index];
      const others = Object.keys(servers).filter((other) => other !== server);
      if (servers[name] === undefined) {
        issues.push({
          path,
          message: `is "${name}", which no server is called`,
          fix: others.length === 0 ? "remove it: there is no other server" : `give one of ${others.join(", ")}`,
        });
      } else if (name === server || leadsTo(name, server, new Set())) {
        issues.push({
          path,
          message: `is "${name}", which leads back to ${server}`,
          fix: "remove one of the fallbacks",
        });
      }
    }
  }
  return issues;
}

/** What JSON Schema cannot say well of the gateway. */
function gatewayRules(
  { host, auth, session, listeners, shared, tls, cors, connections }: Gateway,
  path: ConfigPath,
): ConfigIssue[] {
  const issues: ConfigIssue[] = [];
  const add = (field: ConfigPath, message: string, fix: string) =>
    issues.push({ path: [...path, ...field], message, fix });
  if (host !== undefined && !isLoopback(host) && auth === undefined) {
    const fix = "add gateway.auth with at least one bearer token, or listen on 127.0.0.1";
    add(["host"], `is "${host}", which other machines reach, without authentication`, fix);
  }
  if (listeners?.tcp !== undefined && auth !== undefined) {
    const fix = "remove one of the two; clients that authenticate use HTTP or WebSocket";
    add(["listeners", "tcp"], "stands beside auth, which a TCP connection cannot satisfy", fix);
  }
  protectionRules({ auth, tls, cors, connections }, add);
  if (auth !== undefined) authRules(auth, (field, message, fix) => add(["auth", ...field], message, fix));
  for (const [index, { key }] of (session?.keys ?? []).entries())
    secretRule(key, ["session", "keys", index, "key"], add);
  if (shared !== undefined) redisRule(shared.redis, ["shared", "redis"], add);
  if (shared?.cacheRedis !== undefined) redisRule(shared.cacheRedis, ["shared", "cacheRedis"], add);
  if (shared?.password !== undefined) secretRule(shared.password, ["shared", "password"], add);
  return issues;
}
