import type { Dispatcher } from "undici";
import { FleetError, messageOf } from "../errors.ts";
import { Exchange } from "../protocol/exchange.ts";
import {
  encodeNotification,
  encodeReply,
  encodeRequest,
  isNotification,
  isRequest,
  type Params,
  type RpcMessage,
  type RpcReply,
} from "../protocol/json-rpc.ts";
import { type GatewayIdentity, initialize } from "./handshake.ts";
import { HttpExchange, type HttpOutcome } from "./http-exchange.ts";
import type { ServerDescription, SessionEvents, UpstreamSession } from "./upstream-session.ts";

/** Errors of undici and of sockets that mean: no byte of the request has gone out. */
const unreachable = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "UND_ERR_CONNECT_TIMEOUT"]);

export interface HttpSessionOptions {
  readonly fleet: string;
  readonly url: URL;
  readonly dispatcher: Dispatcher;
  readonly events: SessionEvents;
}

/** One session of Streamable HTTP with a server of the session era; several calls share its connections. */
export class HttpSession implements UpstreamSession {
  readonly ended: Promise<string>;
  readonly #options: HttpSessionOptions;
  readonly #path: string;
  #description: ServerDescription | undefined;
  #headers: Record<string, string> = {
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
  };
  #sessionId: string | undefined;
  #lastId = 0;
  #end: (reason: string) => void = () => {};

  private constructor(options: HttpSessionOptions) {
    this.#options = options;
    this.#path = options.url.pathname + options.url.search;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  static async open(options: HttpSessionOptions, identity: GatewayIdentity, timeoutMs: number): Promise<HttpSession> {
    const session = new HttpSession(options);
    const description = await initialize(session, options.fleet, identity, timeoutMs);
    session.#description = description;
    session.#headers["mcp-protocol-version"] = description.protocolVersion;
    session.notify("notifications/initialized");
    return session;
  }

  get description(): ServerDescription {
    if (this.#description === undefined) throw new Error("the session is not open yet");
    return this.#description;
  }

  async request(method: string, params: Params | undefined, exchange: Exchange): Promise<RpcReply> {
    this.#lastId += 1;
    const outcome = await this.#post(encodeRequest(this.#lastId, method, params), exchange);
    if (outcome.sessionId !== undefined && method === "initialize") {
      this.#sessionId = outcome.sessionId;
      this.#headers["mcp-session-id"] = outcome.sessionId;
    }
    if (this.#sessionId !== undefined && hasForgotten(outcome)) {
      this.#end("the server forgot the session");
      const message = `${this.#options.fleet}: the server no longer knows the session; call again`;
      throw new FleetError("UPSTREAM_SESSION_EXPIRED", message);
    }
    if (outcome.reply !== undefined) return outcome.reply;
    const said = outcome.text.slice(0, 200);
    throw new FleetError(
      "UPSTREAM_PROTOCOL",
      `${this.#options.fleet}: ${this.#options.url.origin} answered HTTP ${outcome.status} without a JSON-RPC response${said === "" ? "" : `: ${said}`}`,
    );
  }

  notify(method: string, params?: Params): void {
    void this.#post(encodeNotification(method, params), new Exchange(10_000)).catch((error) =>
      this.#end(messageOf(error)),
    );
  }

  async close(): Promise<void> {
    this.#end("closed");
    if (this.#sessionId === undefined) return;
    await this.#options.dispatcher
      .request({
        path: this.#path,
        origin: this.#options.url.origin,
        method: "DELETE",
        headers: this.#headers,
        headersTimeout: 2000,
      })
      .then((response) => response.body.dump())
      .catch(() => {});
  }

  #post(body: string, exchange: Exchange): Promise<HttpOutcome> {
    return new Promise((resolve, reject) => {
      const { fleet, url, dispatcher } = this.#options;
      const settle = new HttpExchange(
        (message) => this.#take(message, exchange),
        (outcome) => {
          clearTimeout(timer);
          resolve(outcome);
        },
        (error) => {
          clearTimeout(timer);
          reject(error instanceof FleetError ? error : this.#broken(error));
        },
      );
      const timer = setTimeout(() => {
        const fix = "raise timeouts.requestMs of this server, or ask for less in one call";
        settle.abort(new FleetError("REQUEST_TIMEOUT", `${fleet}: no answer within ${exchange.timeoutMs} ms; ${fix}`));
      }, exchange.timeoutMs);
      exchange.onCancel((reason) => settle.abort(new FleetError("CANCELLED", `cancelled by the client: ${reason}`)));
      const options = { origin: url.origin, path: this.#path, method: "POST" as const, headers: this.#headers, body };
      dispatcher.dispatch({ ...options, headersTimeout: 0, bodyTimeout: 0 }, settle);
    });
  }

  #take(message: RpcMessage, exchange: Exchange): void {
    if (isNotification(message)) {
      if (exchange.listener !== undefined) exchange.listener(message.method, message.params);
      else this.#options.events.onNotification(message.method, message.params);
    } else if (isRequest(message)) {
      const reply: RpcReply =
        message.method === "ping"
          ? { result: {} }
          : { error: { code: -32601, message: `Method not found: ${message.method}` } };
      void this.#post(encodeReply(message.id, reply), new Exchange(10_000)).catch(() => {});
    }
  }

  #broken(error: Error): FleetError {
    const { fleet, url } = this.#options;
    const code = String((error as NodeJS.ErrnoException).code ?? "");
    const reason = error.message === "" ? code : error.message;
    // One broken connection leaves the session; a server that is gone takes it along.
    if (unreachable.has(code)) this.#end(reason);
    return unreachable.has(code)
      ? new FleetError(
          "UPSTREAM_UNREACHABLE",
          `${fleet}: ${url.origin} cannot be reached (${reason}); is the server up?`,
          { cause: error },
        )
      : new FleetError(
          "INSTANCE_LOST",
          `${fleet}: the connection to ${url.origin} broke during the call (${reason}); call again`,
          { cause: error },
        );
  }
}

/** 404 by the specification (basic/transports, session management); many servers answer 400 and say so in words. */
function hasForgotten({ status, reply, text }: HttpOutcome): boolean {
  return status === 404 || (status === 400 && reply === undefined && /session/i.test(text));
}
