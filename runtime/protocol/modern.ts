import { isObject } from "./exact-number.ts";
import type { ExchangeClient } from "./exchange.ts";
import type { Params, RpcReply } from "./json-rpc.ts";
import { memberNames } from "./json-scan.ts";
import { RawReply } from "./raw-reply.ts";

/** The stateless ("modern") revision of MCP; the specification calls those up to 2025-11-25 legacy. */
export const modernRevision = "2026-07-28";

/** Keys of the envelope that each modern request carries in `_meta` (basic/index, "Request metadata"). */
export const envelope = {
  version: "io.modelcontextprotocol/protocolVersion",
  capabilities: "io.modelcontextprotocol/clientCapabilities",
  clientInfo: "io.modelcontextprotocol/clientInfo",
  logLevel: "io.modelcontextprotocol/logLevel",
  serverInfo: "io.modelcontextprotocol/serverInfo",
  subscription: "io.modelcontextprotocol/subscriptionId",
} as const;

/** Error codes that only modern peers use (basic/index, "Error codes"). */
export const modernErrors = { headerMismatch: -32020, missingCapability: -32021, unsupportedVersion: -32022 } as const;

/** What legacy clients are told when they have not said which log lines they want. */
const defaultLogLevel = "info";

/**
 * Parameters of a stateless call for a server of the session era: without the envelope, by which a server of both eras
 * would take the call for a stateless one.
 */
export function withoutEnvelope(params: Params | undefined): Params | undefined {
  if (params?._meta === undefined) return params;
  const _meta = { ...(params._meta as Params) };
  for (const key of [envelope.version, envelope.capabilities, envelope.clientInfo, envelope.logLevel])
    delete _meta[key];
  return { ...params, _meta };
}

/** Parameters with the envelope of a request for this client, or of the gateway's own. */
export function enveloped(params: Params | undefined, client: ExchangeClient | undefined, gateway: Params): Params {
  const logLevel = client === undefined || client.modern ? client?.logLevel : (client.logLevel ?? defaultLogLevel);
  const _meta = {
    ...(params?._meta as Params | undefined),
    [envelope.version]: modernRevision,
    [envelope.capabilities]: client?.capabilities ?? {},
    [envelope.clientInfo]: client?.clientInfo ?? gateway,
    ...(logLevel === undefined ? {} : { [envelope.logLevel]: logLevel }),
  };
  return { ...params, _meta };
}

/** What `server/discover` answers, as far as the gateway reads it (server/discover). */
export interface DiscoverResult {
  readonly supportedVersions: readonly string[];
  readonly capabilities: Params;
  readonly instructions?: string;
  readonly _meta?: Params;
}

/** The result of `server/discover`, or undefined when the reply shows that the server is not of the modern era. */
export function discovered(reply: RpcReply): DiscoverResult | undefined {
  const result = "result" in reply ? (reply.result as Partial<DiscoverResult> | null) : undefined;
  if (!Array.isArray(result?.supportedVersions) || !result.supportedVersions.includes(modernRevision)) return undefined;
  return { ...result, supportedVersions: result.supportedVersions, capabilities: result.capabilities ?? {} };
}

/** A server's wish for input of the client instead of a result (basic/patterns/mrtr). */
export interface InputRequired {
  readonly inputRequests: Readonly<Record<string, { readonly method: string; readonly params?: Params }>>;
  readonly requestState?: string;
}

export function inputRequiredOf(reply: RpcReply): InputRequired | undefined {
  const result = "result" in reply ? (reply.result as (Partial<InputRequired> & Params) | null) : undefined;
  if (result?.resultType !== "input_required") return undefined;
  return { ...result, inputRequests: result.inputRequests ?? {} };
}

/** Results that a client may keep say for how long (server/utilities/caching). */
const cacheable = new Set([
  "server/discover",
  "tools/list",
  "prompts/list",
  "resources/list",
  "resources/templates/list",
  "resources/read",
]);
/** "Resource not found" of the session era; the stateless one says "invalid params". */
const resourceNotFound = -32002;

/** A reply as the stateless era wants it, whatever era its server is of; what the server says itself stays. */
export function withModernParts(method: string, reply: RpcReply, serverInfo: unknown): RpcReply {
  if (!("result" in reply)) {
    return reply.error.code === resourceNotFound ? { error: { ...reply.error, code: -32602 } } : reply;
  }
  const spliced = reply instanceof RawReply ? splicedParts(method, reply, serverInfo) : undefined;
  if (spliced !== undefined) return spliced;
  const result = (reply.result ?? {}) as Params;
  const meta = result._meta as Params | undefined;
  return {
    result: {
      resultType: "complete",
      ...(cacheable.has(method) ? { ttlMs: 0, cacheScope: "private" } : {}),
      ...result,
      _meta: { ...meta, [envelope.serverInfo]: meta?.[envelope.serverInfo] ?? serverInfo },
    },
  };
}

/** Members that the stateless era adds to a result. */
const modernMembers = new Set(["resultType", "ttlMs", "cacheScope", "_meta"]);

/** The same without a look into the result, when it has none of these members itself. */
function splicedParts(method: string, reply: RawReply, serverInfo: unknown): RawReply | undefined {
  const { text } = reply;
  const names = memberNames(text);
  if (names === undefined || names.some((name) => modernMembers.has(name))) return undefined;
  const caching = cacheable.has(method) ? '"ttlMs":0,"cacheScope":"private",' : "";
  const meta = `"_meta":{"${envelope.serverInfo}":${JSON.stringify(serverInfo)}}`;
  return new RawReply(`{"resultType":"complete",${caching}${meta}${names.length === 0 ? "" : ","}${text.slice(1)}`);
}

/** A modern result as the session era knows it. */
export function withoutModernParts(reply: RpcReply): RpcReply {
  if (!("result" in reply) || !isObject(reply.result)) return reply;
  const { resultType, ttlMs, cacheScope, _meta, ...result } = reply.result;
  if (!isObject(_meta)) return { result };
  const { [envelope.serverInfo]: _server, ...meta } = _meta;
  return { result: Object.keys(meta).length === 0 ? result : { ...result, _meta: meta } };
}
