import { FleetError } from "../errors.ts";
import type { Exchange } from "../protocol/exchange.ts";
import { encodeHeaderValue, nameForHeader } from "../protocol/header-values.ts";
import { encodeRequest, isNotification, type Params, type RpcMessage, type RpcReply } from "../protocol/json-rpc.ts";
import { isEventStream } from "../protocol/media-type.ts";
import { modernErrors, modernRevision } from "../protocol/modern.ts";
import { type MirroredParam, mirroredParams, paramHeaders } from "../protocol/param-headers.ts";
import { progressTokenOf, withProgressToken } from "../protocol/progress-token.ts";
import { traceHeaders } from "../protocol/trace-context.ts";
import type { HttpEndpoint } from "./http-endpoint.ts";
import { type HttpOutcome, isRedirect } from "./http-outcome.ts";
import type { ModernWire } from "./modern-session.ts";
import type { SessionEvents } from "./upstream-session.ts";

/** Answers with these codes come from a server that knows the stateless era; others on HTTP 4xx from one that does not. */
const modernRefusals = new Set<number>([...Object.values(modernErrors), -32700, -32600, -32601, -32602, -32603]);

/** Streamable HTTP of the stateless era (2026-07-28, basic/transports): each call a POST of its own, no session. */
export class ModernHttpWire implements ModernWire {
  readonly ended: Promise<string>;
  readonly stateless = true;
  readonly #fleet: string;
  readonly #endpoint: HttpEndpoint;
  readonly #events: SessionEvents;
  /** The mirrored arguments of each tool, by its description. */
  readonly #mirrored = new WeakMap<Params, readonly MirroredParam[]>();
  #end: (reason: string) => void = () => {};

  constructor(fleet: string, endpoint: HttpEndpoint, events: SessionEvents) {
    this.#fleet = fleet;
    this.#endpoint = endpoint;
    this.#events = events;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  async request(method: string, params: Params, exchange: Exchange): Promise<RpcReply> {
    const latest = this.#endpoint.latest(exchange);
    const reply = await this.#post(method, params, exchange);
    if (method === "tools/list") return withoutInvalidTools(reply);
    const stale = "error" in reply && reply.error.code === modernErrors.headerMismatch && method === "tools/call";
    if (!stale) return reply;
    // The tool's schema has changed since it was read, and with it the arguments to be mirrored.
    this.#events.onNotification("notifications/tools/list_changed", undefined);
    this.#endpoint.again(exchange, latest);
    return this.#post(method, params, exchange);
  }

  listen(params: Params, onMessage: (message: RpcMessage) => void) {
    const method = "subscriptions/listen";
    const id = this.#endpoint.nextId();
    const head = this.#endpoint.head("POST", headersOf(method, params));
    const { ended, close } = this.#endpoint.stream(head, encodeRequest(id, method, params), id, (message) => {
      this.#events.heard?.();
      onMessage(message);
    });
    return { ended: ended.then(isRefusal), close };
  }

  async close(): Promise<void> {
    this.#end("closed");
  }

  async #post(method: string, params: Params, exchange: Exchange): Promise<RpcReply> {
    const headers = Object.assign(headersOf(method, params), traceHeaders(params));
    if (method === "tools/call") Object.assign(headers, await this.#mirror(params, exchange));
    const id = this.#endpoint.nextId();
    const token = progressTokenOf(params);
    const body = encodeRequest(id, method, token === undefined ? params : withProgressToken(params, id));
    const onMessage = (message: RpcMessage) => {
      this.#events.heard?.();
      if (isNotification(message)) exchange.heard(message.method, message.params, id, token);
    };
    const head = this.#endpoint.head("POST", headers);
    let outcome = await this.#endpoint.post(head, body, id, exchange, onMessage).catch((error: unknown) => {
      if (error instanceof FleetError && error.code === "UPSTREAM_UNREACHABLE") this.#end(error.message);
      throw error;
    });
    if (isRedirect(outcome)) outcome = await this.#endpoint.follow(outcome, head, body, id, exchange, onMessage);
    const { status, reply } = outcome;
    const refused = status === 400 || status === 404 || status === 405;
    if (refused && !(reply !== undefined && "error" in reply && modernRefusals.has(reply.error.code))) {
      const reason = `${this.#fleet}: the server no longer speaks MCP ${modernRevision}; call again`;
      this.#end(reason);
      throw new FleetError("UPSTREAM_SESSION_EXPIRED", reason);
    }
    if (reply !== undefined) return reply;
    throw this.#endpoint.unanswered(outcome);
  }

  async #mirror(params: Params, exchange: Exchange): Promise<Record<string, string>> {
    const found = this.#events.tool?.(String(params.name));
    const tool = found instanceof Promise ? await this.#endpoint.inHalfTime(found, exchange) : found;
    if (tool === undefined) return {};
    let mirrored = this.#mirrored.get(tool);
    if (mirrored === undefined) {
      mirrored = mirroredParams(tool.inputSchema) ?? [];
      this.#mirrored.set(tool, mirrored);
    }
    return mirrored.length === 0 ? {} : paramHeaders(mirrored, params.arguments);
  }
}

/** JSON, or an error of the server's own, in place of a stream; HTTP 5xx may be over soon. */
const isRefusal = ({ status, headers, reply }: HttpOutcome): boolean =>
  status < 500 && (!isEventStream(headers["content-type"]) || (reply !== undefined && "error" in reply));

/** The headers that repeat the body's method, name and revision (SEP-2243). */
export function headersOf(method: string, params: Params | undefined): Record<string, string> {
  const name = nameForHeader(method, params);
  return {
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
    "mcp-protocol-version": modernRevision,
    "mcp-method": method,
    ...(name === undefined ? {} : { "mcp-name": encodeHeaderValue(name) }),
  };
}

/** A tool whose header annotations break the rules must not be offered (basic/transports, "Custom headers"). */
function withoutInvalidTools(reply: RpcReply): RpcReply {
  if (!("result" in reply)) return reply;
  const result = reply.result as Params & { tools?: unknown };
  if (!Array.isArray(result?.tools)) return reply;
  const valid = result.tools.filter((tool) => mirroredParams((tool as Params | null)?.inputSchema) !== undefined);
  return valid.length === result.tools.length ? reply : { result: { ...result, tools: valid } };
}
