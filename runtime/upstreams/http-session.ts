import { FleetError, messageOf } from "../errors.ts";
import { answerServer, clientOf } from "../protocol/client-requests.ts";
import { Exchange, type ExchangeClient } from "../protocol/exchange.ts";
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
import { SlotTable } from "../protocol/slot-table.ts";
import { traceHeaders } from "../protocol/trace-context.ts";
import { excerpt } from "../secret-guard.ts";
import { type GatewayIdentity, initialize } from "./handshake.ts";
import { type HttpEndpoint, resumable } from "./http-endpoint.ts";
import type { Cut, HttpOutcome } from "./http-exchange.ts";
import { pause } from "./stream-pause.ts";
import type { ServerDescription, SessionEvents, UpstreamSession } from "./upstream-session.ts";

/** For the server to take a notification, or the answer to a question of its own. */
const answerTimeoutMs = 10_000;
/** Notifications that belong to the call on whose stream they come. */
const ofOneCall = new Set(["notifications/progress", "notifications/message"]);

/** One session of Streamable HTTP with a server of the session era; several calls share its connections. */
export class HttpSession implements UpstreamSession {
  readonly ended: Promise<string>;
  readonly #fleet: string;
  readonly #endpoint: HttpEndpoint;
  readonly #events: SessionEvents;
  readonly #inFlight = new SlotTable<Exchange>();
  #description: ServerDescription | undefined;
  #headers: Record<string, string> = {
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
  };
  /** The head of every POST, made anew when the headers change. */
  #head: string;
  #sessionId: string | undefined;
  #lastId = 0;
  #over = false;
  #stream: { close(): void } | undefined;
  #end: (reason: string) => void = () => {};

  private constructor(fleet: string, endpoint: HttpEndpoint, events: SessionEvents) {
    this.#fleet = fleet;
    this.#endpoint = endpoint;
    this.#events = events;
    this.#head = endpoint.head("POST", this.#headers);
    this.ended = new Promise((resolve) => {
      this.#end = (reason) => {
        this.#over = true;
        this.#stream?.close();
        resolve(reason);
      };
    });
  }

  static async open(
    fleet: string,
    endpoint: HttpEndpoint,
    events: SessionEvents,
    identity: GatewayIdentity,
    timeoutMs: number,
  ): Promise<HttpSession> {
    const session = new HttpSession(fleet, endpoint, events);
    const description = await initialize(session, fleet, identity, timeoutMs);
    session.#description = description;
    session.#declare("mcp-protocol-version", description.protocolVersion);
    session.notify("notifications/initialized");
    // A server without sessions has nothing to say outside of calls.
    if (session.#sessionId !== undefined) void session.#listen();
    return session;
  }

  get description(): ServerDescription {
    if (this.#description === undefined) throw new Error("the session is not open yet");
    return this.#description;
  }

  async request(method: string, params: Params | undefined, exchange: Exchange): Promise<RpcReply> {
    this.#lastId += 1;
    const id = this.#lastId;
    const slot = this.#inFlight.add(exchange);
    let outcome: HttpOutcome;
    try {
      const trace = traceHeaders(params);
      const head = trace === undefined ? this.#head : this.#endpoint.head("POST", { ...this.#headers, ...trace });
      const onMessage = (message: RpcMessage) => this.#take(message, exchange, exchange.client);
      const body = encodeRequest(id, method, params);
      outcome = await this.#endpoint.post(head, body, exchange, onMessage, resumable);
      if (outcome.cut !== undefined) outcome = await this.#endpoint.resume(outcome, this.#headers, exchange, onMessage);
    } catch (error) {
      this.#broken(error);
      if (method !== "initialize") this.#abandon(id, error);
      throw error;
    } finally {
      this.#inFlight.take(slot);
    }
    const sessionId = outcome.headers["mcp-session-id"];
    if (sessionId !== undefined && method === "initialize") {
      this.#sessionId = sessionId;
      this.#declare("mcp-session-id", sessionId);
    }
    if (this.#sessionId !== undefined && hasForgotten(outcome)) {
      this.#end("the server forgot the session");
      const message = `${this.#fleet}: the server no longer knows the session; call again`;
      throw new FleetError("UPSTREAM_SESSION_EXPIRED", message);
    }
    if (outcome.reply !== undefined) return outcome.reply;
    const said = excerpt(outcome.text, 200);
    throw new FleetError(
      "UPSTREAM_PROTOCOL",
      `${this.#fleet}: ${this.#endpoint.origin} answered HTTP ${outcome.status} without a JSON-RPC response${said === "" ? "" : `: ${said}`}`,
      { data: { status: outcome.status } },
    );
  }

  notify(method: string, params?: Params): void {
    void this.#tell(encodeNotification(method, params)).catch((error) => this.#end(messageOf(error)));
  }

  async close(): Promise<void> {
    this.#end("closed");
    if (this.#sessionId !== undefined) await this.#endpoint.delete(this.#headers);
  }

  /** The server goes on with a call whose connection is closed, unless it is told (2025-11-25, basic/transports). */
  #abandon(requestId: number, error: unknown): void {
    const given = error instanceof FleetError && (error.code === "CANCELLED" || error.code === "REQUEST_TIMEOUT");
    if (!given || this.#over) return;
    const reason = error.code === "CANCELLED" ? error.message : "timeout";
    this.notify("notifications/cancelled", { requestId, reason });
  }

  #declare(name: string, value: string): void {
    this.#headers[name] = value;
    this.#head = this.#endpoint.head("POST", this.#headers);
  }

  /** Sends what has no response. */
  async #tell(message: string): Promise<void> {
    const exchange = new Exchange(answerTimeoutMs);
    try {
      await this.#endpoint.post(this.#head, message, exchange, (said) => this.#take(said, exchange, undefined));
    } catch (error) {
      this.#broken(error);
      throw error;
    }
  }

  /** One broken connection leaves the session; a server that is gone takes it along. */
  #broken(error: unknown): void {
    if (error instanceof FleetError && error.code === "UPSTREAM_UNREACHABLE") this.#end(error.message);
  }

  /** Keeps the GET stream open as long as the session lives and the server offers one (405 says that it does not). */
  async #listen(): Promise<void> {
    let cut: Cut | undefined;
    while (!this.#over) {
      const headers: Record<string, string> = { ...this.#headers, accept: "text/event-stream" };
      if (cut !== undefined) headers["last-event-id"] = cut.lastEventId;
      const stream = this.#endpoint.stream(this.#endpoint.head("GET", headers), undefined, (message) =>
        this.#take(message, undefined, clientOf(this.#inFlight)),
      );
      this.#stream = stream;
      const outcome = await stream.ended.catch(() => undefined);
      if (outcome !== undefined && outcome.status !== 200) return;
      cut = outcome?.cut ?? cut;
      await pause(cut);
    }
  }

  #take(message: RpcMessage, exchange: Exchange | undefined, client: ExchangeClient | undefined): void {
    if (isNotification(message)) {
      // A changed list concerns everybody, on whatever stream it is told.
      if (exchange?.listener !== undefined && ofOneCall.has(message.method))
        exchange.listener(message.method, message.params);
      else this.#events.onNotification(message.method, message.params);
    } else if (isRequest(message)) {
      void answerServer(client, message.method, message.params)
        .then((reply) => this.#tell(encodeReply(message.id, reply)))
        .catch(() => {});
    }
  }
}

/** 404 by the specification (basic/transports, session management); many servers answer 400 and say so in words. */
function hasForgotten({ status, reply, text }: HttpOutcome): boolean {
  return status === 404 || (status === 400 && reply === undefined && /session/i.test(text));
}
