import type { IncomingHttpHeaders } from "node:http";
import type { Params, RpcMessage } from "./json-rpc.ts";

/** Headers of W3C Trace Context and Baggage; in MCP the keys of `_meta` under which they travel (SEP-414). */
const names = ["traceparent", "tracestate", "baggage"] as const;
/** What may stand in a header, and how long it may be (Trace Context, 3.3.1.1, asks for 512 at least). */
const sound = /^[\x20-\x7e]{1,8192}$/;

/** A message with the trace context of its HTTP request, unless its own `_meta` says which trace it belongs to. */
export function inTrace<Message extends RpcMessage>(message: Message, headers: IncomingHttpHeaders): Message {
  if (headers.traceparent === undefined || !("method" in message)) return message;
  const meta = message.params?._meta as Params | undefined;
  if (meta?.traceparent !== undefined) return message;
  const found: Params = {};
  for (const name of names) if (headers[name] !== undefined) found[name] = headers[name];
  return { ...message, params: { ...message.params, _meta: { ...meta, ...found } } };
}

/** The headers of an HTTP request that carries these parameters; undefined when they belong to no trace. */
export function traceHeaders(params: Params | undefined): Record<string, string> | undefined {
  const meta = params?._meta as Params | undefined;
  if (meta?.traceparent === undefined) return undefined;
  const headers: Record<string, string> = {};
  for (const name of names) {
    const value = meta[name];
    if (typeof value === "string" && sound.test(value)) headers[name] = value;
  }
  return headers;
}
