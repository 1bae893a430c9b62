import type { IncomingHttpHeaders } from "node:http";
import { FleetError } from "../errors.ts";
import { isObject } from "./exact-number.ts";
import { decodeHeaderValue, nameForHeader } from "./header-values.ts";
import type { Params, RpcMessage, RpcRequest } from "./json-rpc.ts";
import { envelope, modernRevision } from "./modern.ts";
import { type MirroredParam, mirroredParams, mirroredValue } from "./param-headers.ts";
import { downstreamRevisions } from "./revisions.ts";

/** What a request of the stateless era says of its client. */
export interface ModernDeclaration {
  readonly capabilities: Params;
  readonly clientInfo: Params | undefined;
  readonly logLevel: string | undefined;
}

const date = /^\d{4}-\d{2}-\d{2}$/;

const metaOf = (message: RpcMessage): Params | undefined =>
  "method" in message ? (message.params?._meta as Params | undefined) : undefined;

/**
 * Is a message of the stateless era? One with its envelope is; `initialize` without it is not, whatever its headers say;
 * else a revision in the header that is later than the session era decides, or a method that only this era has
 * (basic/versioning).
 */
export function isModern(message: RpcMessage, headers: IncomingHttpHeaders): boolean {
  if (typeof metaOf(message)?.[envelope.version] === "string") return true;
  if ("method" in message && message.method === "initialize") return false;
  const header = headers["mcp-protocol-version"];
  if (typeof header === "string" && date.test(header) && header > downstreamRevisions[0]) return true;
  const method = "method" in message ? message.method : undefined;
  return headers["mcp-session-id"] === undefined && (method === "server/discover" || method === "subscriptions/listen");
}

/**
 * Checks the envelope of a request (basic/index, "Request metadata"). Throws ENVELOPE_INVALID, and REVISION_UNKNOWN for
 * a revision that is not served; before that `check` may find that a transport's headers say something else.
 */
export function declarationOf({ params }: RpcRequest, check?: (version: string) => void): ModernDeclaration {
  const meta = asObject(params?._meta) ?? {};
  const version = meta[envelope.version];
  if (typeof version !== "string") throw incomplete(envelope.version, "a string");
  check?.(version);
  if (version !== modernRevision) {
    const data = { supported: [modernRevision], requested: version };
    throw new FleetError("REVISION_UNKNOWN", `Unsupported protocol version: ${version}`, { data });
  }
  const capabilities = asObject(meta[envelope.capabilities]);
  if (capabilities === undefined) throw incomplete(envelope.capabilities, "an object");
  const logLevel = meta[envelope.logLevel];
  return {
    capabilities,
    clientInfo: asObject(meta[envelope.clientInfo]),
    logLevel: typeof logLevel === "string" ? logLevel : undefined,
  };
}

/** Checks that the headers repeat what the body says (SEP-2243). Throws HEADER_MISMATCH. */
export function checkHeaders({ method, params }: RpcRequest, headers: IncomingHttpHeaders, version: string): void {
  compare("MCP-Protocol-Version", headers["mcp-protocol-version"], version);
  compare("Mcp-Method", headers["mcp-method"], method);
  const name = nameForHeader(method, params);
  if (name !== undefined) compare("Mcp-Name", headers["mcp-name"], name);
}

/** Checks the headers that repeat arguments of a tool, by its input schema. Throws HEADER_MISMATCH. */
export function checkParamHeaders(tool: Params | undefined, params: Params | undefined, headers: IncomingHttpHeaders) {
  for (const mirrored of mirroredParams(tool?.inputSchema) ?? []) checkParam(mirrored, params?.arguments, headers);
}

function checkParam(param: MirroredParam, args: unknown, headers: IncomingHttpHeaders): void {
  const value = mirroredValue(param, args);
  const header = headers[param.header];
  if (value === undefined && header === undefined) return;
  const same = typeof value === "number" && typeof header === "string" && Number(header) === value;
  if (!same) compare(param.header, header, value === undefined ? undefined : String(value));
}

function compare(name: string, header: string | string[] | undefined, expected: unknown): void {
  const said = typeof header === "string" ? decodeHeaderValue(header) : undefined;
  if (said !== undefined && said === expected) return;
  const problem = header === undefined ? "is missing" : `says "${String(header)}"`;
  throw new FleetError("HEADER_MISMATCH", `Header mismatch: ${name} ${problem}, the body "${String(expected)}"`);
}

const incomplete = (key: string, form: string) =>
  new FleetError("ENVELOPE_INVALID", `Invalid params: params._meta["${key}"] must be ${form}`);

const asObject = (value: unknown): Params | undefined => (isObject(value) ? value : undefined);
