import { FleetError } from "../errors.ts";
import { excerpt } from "../secret-guard.ts";
import { parseJson } from "./exact-json.ts";
import { ExactNumber, isObject, plainNumber } from "./exact-number.ts";
import { maxParts, shapeOf } from "./json-shape.ts";
import { RawReply } from "./raw-reply.ts";

/** Request id of JSON-RPC 2.0; MCP forbids null. Two are the same when `keyOf` says so. */
export type RequestId = string | number | ExactNumber;

/** Parameters and results are relayed without a look inside, unless a stage says why it looks. */
export type Params = Record<string, unknown>;

export interface RpcRequest {
  readonly jsonrpc: "2.0";
  readonly id: RequestId;
  readonly method: string;
  readonly params?: Params;
}

export interface RpcNotification {
  readonly jsonrpc: "2.0";
  readonly method: string;
  readonly params?: Params;
}

/** Error object of JSON-RPC 2.0, section 5.1. */
export interface RpcErrorObject {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

/** What a request comes to: the peer's own result or error, neither of them touched. */
export type RpcReply = { readonly result: unknown } | { readonly error: RpcErrorObject };

export type RpcResponse = RpcReply & { readonly jsonrpc: "2.0"; readonly id: RequestId };

export type RpcMessage = RpcRequest | RpcNotification | RpcResponse;

export const isRequest = (message: RpcMessage): message is RpcRequest => "method" in message && "id" in message;
export const isNotification = (message: RpcMessage): message is RpcNotification =>
  "method" in message && !("id" in message);

/** What a response says, without its envelope. */
export const replyOf = (message: RpcResponse): RpcReply =>
  "result" in message ? { result: message.result } : { error: soundError(message.error) };

/** The code of an error whose own one is none. */
const internalError = -32603;
/** Characters of a malformed error that are shown. */
const maxShown = 200;

/** An error with a code and a message (JSON-RPC 2.0, section 5.1): clients refuse others, and hear nothing of what was wrong. */
function soundError(said: unknown): RpcErrorObject {
  if (!isObject(said)) {
    return {
      code: internalError,
      message: typeof said === "string" ? said : `malformed error: ${JSON.stringify(said)}`,
    };
  }
  const { code, message } = said;
  if (Number.isSafeInteger(code) && typeof message === "string") return said as unknown as RpcErrorObject;
  const number = typeof code === "string" ? Number(code) : plainNumber(code);
  return {
    ...said,
    code: typeof number === "number" && Number.isSafeInteger(number) ? number : internalError,
    message: typeof message === "string" ? message : `malformed error: ${excerpt(JSON.stringify(said), maxShown)}`,
  };
}

/**
 * Checks the envelope of one parsed message (JSON-RPC 2.0; MCP `basic/index`): nothing inside params or results.
 * Throws INVALID_REQUEST.
 */
export function checkMessage(value: unknown): RpcMessage {
  if (!isObject(value)) invalid("the message is not an object");
  const message = value;
  if (message.jsonrpc !== "2.0") invalid('"jsonrpc" must be "2.0"');
  const { id, method, params } = message;
  if (id !== undefined) checkId(id);
  if (method === undefined) {
    if (id === undefined || "result" in message === "error" in message) {
      invalid('a message has "method", or "id" with one of "result" and "error"');
    }
  } else if (typeof method !== "string") invalid('"method" must be a string');
  else if (method.length > maxMethodLength) invalid(`"method" is longer than ${maxMethodLength} characters`);
  if (params !== undefined && !isObject(params)) invalid('"params" must be an object');
  // Servers drop a message with another `_meta` without an answer (basic/index: an object).
  const meta = params?._meta;
  if (meta !== undefined && !isObject(meta)) invalid('"params._meta" must be an object');
  const token = meta?.progressToken;
  if (lengthOf(token) > maxIdLength) {
    invalid(`"params._meta.progressToken" is longer than ${maxIdLength} characters`);
  }
  return message as unknown as RpcMessage;
}

/** Longest id and progress token, in characters: they are kept during a call and repeated in what is said about it. */
const maxIdLength = 1024;
/** Longest method, in characters: error texts and the log repeat it. */
const maxMethodLength = 256;
/** Most messages of one batch: as many as a connection may have in flight. */
export const maxBatch = 256;

/** An id comes back in the answer as it was sent. */
function checkId(id: unknown): void {
  if (typeof id !== "string" && typeof id !== "number" && !(id instanceof ExactNumber))
    invalid('"id" must be a string or a number');
  if (lengthOf(id) > maxIdLength) invalid(`"id" is longer than ${maxIdLength} characters`);
}

/** Characters of a text, or of a number that is kept as one; 0 of anything else. */
const lengthOf = (value: unknown): number =>
  typeof value === "string" ? value.length : value instanceof ExactNumber ? value.toString().length : 0;

const byteOrderMark = 0xfeff;

/** A text without the byte order mark that some programs write before it; a reader can pass over it (RFC 8259, section 8.1). */
export const withoutMark = (text: string): string => (text.charCodeAt(0) === byteOrderMark ? text.slice(1) : text);

/** Parses one message of a server. Throws for one that is none, nests too deep, or has too many values. */
export function parseMessage(text: string): RpcMessage {
  return checkMessage(withoutNull(parseJson(text, checkShape(text, Number.POSITIVE_INFINITY))));
}

/** Some servers write both members of a response, and null for the one that is not there. */
function withoutNull(value: unknown): unknown {
  if (typeof value !== "object" || value === null || !("result" in value) || !("error" in value)) return value;
  const { result, error, ...rest } = value;
  if (error === null) return { ...rest, result };
  return result === null ? { ...rest, error } : value;
}

/**
 * Parses one message, or an array of them (allowed only in revision 2025-03-26; the caller checks that). `mostParts`: arrays,
 * objects and members of objects; defaults to those of a client's message.
 */
export function parseMessages(said: string, mostParts = maxParts): RpcMessage | RpcMessage[] {
  const text = withoutMark(said);
  const exact = checkShape(text, mostParts);
  let value: unknown;
  try {
    value = parseJson(text, exact);
  } catch {
    throw new FleetError("PARSE_ERROR", "the body is not JSON; send one JSON-RPC message encoded as UTF-8");
  }
  if (!Array.isArray(value)) return checkMessage(value);
  if (value.length === 0) invalid("the batch is empty");
  if (value.length > maxBatch) invalid(`the batch has ${value.length} messages; send at most ${maxBatch} at once`);
  return value.map(checkMessage);
}

/** The bytes of a response. */
export function encodeReply(id: RequestId | null, reply: RpcReply): string {
  if (reply instanceof RawReply) return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${reply.text}}`;
  return "result" in reply
    ? `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${JSON.stringify(reply.result)}}`
    : `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"error":${JSON.stringify(reply.error)}}`;
}

/** The bytes of a request. */
export function encodeRequest(id: RequestId, method: string, params: Params | undefined): string {
  const head = `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"method":${JSON.stringify(method)}`;
  return params === undefined ? `${head}}` : `${head},"params":${JSON.stringify(params)}}`;
}

/** The bytes of a notification. */
export function encodeNotification(method: string, params?: Params): string {
  const head = `{"jsonrpc":"2.0","method":${JSON.stringify(method)}`;
  return params === undefined ? `${head}}` : `${head},"params":${JSON.stringify(params)}}`;
}

/** The JSON-RPC error for anything that was thrown; what nobody foresaw shows no details. */
export function errorReply(error: unknown): { readonly error: RpcErrorObject } {
  if (!(error instanceof FleetError)) return { error: { code: -32603, message: "Internal error" } };
  const data = { code: error.code, ...(error.kind.retryable ? { retryable: true } : {}), ...error.data };
  return { error: { code: error.kind.rpc, message: error.message, data } };
}

/**
 * Throws INVALID_REQUEST for a JSON text that nests deeper than it may, has too many values, or more parts than given. Returns
 * whether it can have numbers whose digits a double does not keep.
 */
export function checkShape(text: string, mostParts = maxParts): boolean {
  const { flaw, exact } = shapeOf(text, mostParts);
  if (flaw !== undefined) invalid(flaw);
  return exact;
}

function invalid(problem: string): never {
  throw new FleetError("INVALID_REQUEST", `Invalid request: ${problem}`);
}
