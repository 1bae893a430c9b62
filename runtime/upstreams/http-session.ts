import { FleetError, messageOf } from "../errors.ts";
import { answerServer, type CallInFlight, callOf, clientRequests } from "../protocol/client-requests.ts";
import { Exchange, type Flow } from "../protocol/exchange.ts";
import {
  encodeNotification,
  encodeReply,
  encodeRequest,
  errorReply,
  isNotification,
  isRequest,
  type Params,
  type RpcMessage,
  type RpcReply,
  type RpcRequest,
} from "../protocol/json-rpc.ts";
import { isEventStream } from "../protocol/media-type.ts";
import { PastCalls } from "../protocol/past-calls.ts";
import { progressTokenOf, withProgressToken } from "../protocol/progress-token.ts";
import { SlotTable } from "../protocol/slot-table.ts";
import { traceHeaders } from "../protocol/trace-context.ts";
import { type GatewayIdentity, initialize } from "./handshake.ts";
import { type HttpEndpoint, type OpenStream, ofSession } from "./http-endpoint.ts";
import { type Cut, type HttpOutcome, isRedirect } from "./http-outcome.ts";
import { PendingReplies } from "./pending-replies.ts";
import { idlePauseMs, pause } from "./stream-pause.ts";
import type { ServerDescription, SessionEvents, UpstreamSession } from "./upstream-session.ts";

/** For the server to take a notification, or the answer to a question of its own. */
const answerTimeoutMs = 10_000;
/** Notifications that belong to the call on whose stream they come. */
const ofOneCall = new Set(["notifications/progress", "notifications/message"]);

/** A stream that ends sooner, without a message, was opened in vain. */
const shortStreamMs = 1000;

/** One session of Streamable HTTP with a server of the session era; several calls share its connections. */
export class HttpSession implements UpstreamSession {
  readonly ended: Promise<string>;
  readonly #fleet: string;
  readonly #endpoint: HttpEndpoint;
  readonly #events: SessionEvents;
  readonly #inFlight = new SlotTable<CallInFlight>();
  readonly #past = new PastCalls();
  readonly #replies = new PendingReplies();
  #description: ServerDescription | undefined;
  #headers: Record<string, string> = {
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
  };
  /** The head of every POST, made anew when the headers change. */
  #head: string;
  #sessionId: string | undefined;
  #over = false;
  #stream: OpenStream | undefined;
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
    const description = await initialize(session, fleet, identity, timeoutMs, events.elsewhere);
    session.#description = description;
    session.#declare("mcp-protocol-version", description.protocolVersion);
    session.notify("notifications/initialized");
    // A server without sessions has nothing to say outside of calls.
    if (session.#sessionId !== undefined) void session.#listen();
    return session;
  }

  get stateless(): boolean {
    return this.#sessionId === undefined;
  }

  get description(): ServerDescription {
    if (this.#description === undefined) throw new Error("the session is not open yet");
    return this.#description;
  }

  async request(method: string, params: Params | undefined, exchange: Exchange): Promise<RpcReply> {
    const id = this.#endpoint.nextId();
    const token = progressTokenOf(params);
    const call: CallInFlight = { method, exchange };
    const slot = this.#inFlight.add(call);
    let outcome: HttpOutcome;
    try {
      const trace = traceHeaders(params);
      const head = trace === undefined ? this.#head : this.#endpoint.head("POST", { ...this.#headers, ...trace });
      const onMessage = (message: RpcMessage) => this.#take(message, exchange, id, token);
      const sent = token === undefined ? params : withProgressToken(params as Params, id);
      const body = encodeRequest(id, method, sent);
      outcome = await this.#endpoint.post(head, body, id, exchange, onMessage, ofSession);
      if (isRedirect(outcome)) {
        outcome = await this.#endpoint.follow(outcome, head, body, id, exchange, onMessage, ofSession);
        this.#head = this.#endpoint.head("POST", this.#headers);
      }
      if (outcome.cut !== undefined)
        outcome = await this.#endpoint.resume(outcome, id, this.#headers, exchange, onMessage);
    } catch (error) {
      this.#broken(error);
      if (method !== "initialize") this.#abandon(id, call, error);
      throw error;
    } finally {
      this.#inFlight.take(slot);
      exchange.finished();
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
    if (outcome.reply !== undefined) {
      this.#past.answered(call);
      return outcome.reply;
    }
    throw this.#endpoint.unanswered(outcome);
  }

  notify(method: string, params?: Params): void {
    void this.#tell(encodeNotification(method, params)).catch((error) => this.#end(messageOf(error)));
  }

  async close(): Promise<void> {
    this.#end("closed");
    if (this.#sessionId !== undefined) await this.#endpoint.delete(this.#headers);
  }

  /** The server goes on with a call whose connection is closed, unless it is told (2025-11-25, basic/transports). */
  #abandon(requestId: number, call: CallInFlight, error: unknown): void {
    const late = error instanceof FleetError && error.code === "REQUEST_TIMEOUT";
    if ((!late && call.exchange.cancelled === undefined) || this.#over) return;
    this.#past.abandoned(call);
    const reason = late ? "timeout" : messageOf(error);
    this.notify("notifications/cancelled", { requestId, reason });
  }

  #declare(name: string, value: string): void {
    this.#headers[name] = value;
    this.#head = this.#endpoint.head("POST", this.#headers);
  }

  /** Sends what has no response. */
  async #tell(message: string, caller?: string): Promise<void> {
    const exchange = new Exchange(answerTimeoutMs);
    exchange.caller = caller;
    // Calls that wait for their clients hold connections: what they wait for must not wait for one.
    exchange.apart = this.#endpoint.full;
    try {
      const head = this.#head;
      const onMessage = (said: RpcMessage) => this.#heard(said, undefined);
      const outcome = await this.#endpoint.post(head, message, undefined, exchange, onMessage);
      if (isRedirect(outcome)) await this.#endpoint.follow(outcome, head, message, undefined, exchange, onMessage);
    } catch (error) {
      this.#broken(error);
      throw error;
    }
  }

  /** One broken connection leaves the session; a server that is gone takes it along. */
  #broken(error: unknown): void {
    if (error instanceof FleetError && error.code === "UPSTREAM_UNREACHABLE") this.#end(error.message);
  }

  /** Keeps the GET stream open as long as the session lives and the server offers one (405 says that it does not, and so does JSON). */
  async #listen(): Promise<void> {
    let cut: Cut | undefined;
    let inVain = 0;
    while (!this.#over) {
      const began = performance.now();
      let heard = false;
      const headers: Record<string, string> = { ...this.#headers, accept: "text/event-stream" };
      if (cut !== undefined) headers["last-event-id"] = cut.lastEventId;
      const head = this.#endpoint.head("GET", headers);
      const stream: OpenStream = this.#endpoint.stream(head, undefined, undefined, (message) => {
        heard = true;
        this.#heard(message, stream);
      });
      this.#stream = stream;
      const outcome = await stream.ended.catch(() => undefined);
      if (outcome !== undefined && !isStream(outcome)) return;
      cut = outcome?.cut ?? cut;
      // A stream that has nothing to say and ends at once is asked for less and less often.
      inVain = heard || performance.now() - began > shortStreamMs ? 0 : inVain + 1;
      await Promise.race([pause(idlePauseMs(cut, inVain)), this.ended]);
    }
  }

  /** A message on the stream of a call. */
  #take(message: RpcMessage, exchange: Exchange, id: number, token: unknown): void {
    this.#events.heard?.();
    if (isNotification(message)) {
      const { method, params } = message;
      // A changed list concerns everybody, on whatever stream it is told.
      const hears = exchange.listener !== undefined || exchange.progress !== undefined;
      if (hears && ofOneCall.has(method)) exchange.heard(method, params, id, token);
      else this.#events.onNotification(method, params);
    } else if (isRequest(message)) void this.#answer(message, exchange, exchange.flow);
  }

  /** A message on a stream that is no call's. */
  #heard(message: RpcMessage, stream: OpenStream | undefined): void {
    this.#events.heard?.();
    if (isNotification(message)) this.#events.onNotification(message.method, message.params);
    else if (isRequest(message)) void this.#answer(message, callOf(this.#inFlight, this.#past), stream);
  }

  async #answer(
    { id, method, params }: RpcRequest,
    call: Exchange | undefined,
    stream: Flow | undefined,
  ): Promise<void> {
    const capability = clientRequests.get(method);
    const waits = capability !== undefined && call?.client?.capabilities[capability] !== undefined;
    const crowded = waits && call?.flow?.lend?.() === false;
    const reply = crowded ? errorReply(this.#crowded(method)) : await answerServer(call, method, params);
    this.#replies.began(stream);
    await this.#tell(encodeReply(id, reply), call?.caller).catch(() => {});
    this.#replies.ended();
  }

  #crowded(method: string): FleetError {
    const fix = "raise servers.<name>.pool.maxConnections";
    const text = `${this.#fleet}: ${method}: too many calls wait for their clients already; ${fix}`;
    return new FleetError("OVERLOADED", text);
  }
}

const isStream = ({ status, headers }: HttpOutcome): boolean =>
  status === 200 && isEventStream(headers["content-type"]);
/** Errors about the call itself, whatever words they have. */
const ofCall = new Set([-32601, -32602]);

/** 404 by the specification (basic/transports, session management); many servers answer 400 and say so in words. */
function hasForgotten({ status, reply, text }: HttpOutcome): boolean {
  if (status !== 400) return status === 404;
  if (reply === undefined) return /session/i.test(text);
  return "error" in reply && !ofCall.has(reply.error.code) && /session/i.test(reply.error.message);
}
