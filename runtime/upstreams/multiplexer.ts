import { FleetError, messageOf } from "../errors.ts";
import { answerServer, callOf } from "../protocol/client-requests.ts";
import { plainNumber } from "../protocol/exact-number.ts";
import type { Exchange, Flow } from "../protocol/exchange.ts";
import {
  encodeNotification,
  encodeReply,
  encodeRequest,
  isNotification,
  isRequest,
  type Params,
  parseMessage,
  type RpcMessage,
  type RpcReply,
  type RpcRequest,
  replyOf,
  withoutMark,
} from "../protocol/json-rpc.ts";
import { elementTexts, memberText } from "../protocol/json-scan.ts";
import { shapeFlaw } from "../protocol/json-shape.ts";
import { PastCalls } from "../protocol/past-calls.ts";
import { PendingTable } from "../protocol/pending-table.ts";
import { progressTokenOf, withProgressToken } from "../protocol/progress-token.ts";
import { takeApart } from "../protocol/raw-reply.ts";
import { RequestIds } from "../protocol/request-ids.ts";
import { excerpt } from "../secret-guard.ts";
import { PendingReplies } from "./pending-replies.ts";
import type { EndReason, SessionEvents } from "./upstream-session.ts";

/** Bytes that may wait for a server that does not read; then calls are refused until it does. Some calls of the largest size. */
export const maxUnsentBytes = 64 * 1024 * 1024;
/** A server that sends requests and takes no reply for this long, in milliseconds, is given up. */
export const stuckMs = 30_000;

/** What of a large message is searched for its id, at either end. */
const edge = 1024;
const lastId = /,"id":(\d+)\s*(?:,"jsonrpc":"2\.0")?\}$/;

interface Pending {
  readonly id: number;
  readonly method: string;
  readonly exchange: Exchange;
  /** The client's own progress token, put back into progress notifications. */
  readonly progressToken: unknown;
  timer: NodeJS.Timeout | undefined;
  /** The transport has taken the request; before that the server cannot have begun it. */
  sent: boolean;
  resolve(reply: RpcReply): void;
  reject(error: FleetError): void;
}

export interface MultiplexerOptions {
  /** For messages, such as `context7`. */
  readonly name: string;
  readonly events: SessionEvents;
  /** Of all requests to the same server. Defaults to ids of its own. */
  readonly ids?: RequestIds;
  /** Hands one encoded message to the transport, which says when it has gone out. */
  send(message: string, onSent?: () => void): void;
  /** Bytes, or nearly, that the transport has not got rid of. Defaults to 0. */
  unsent?(): number;
  /** Stops and goes on reading what the server says. Defaults to reading always. */
  readonly flow?: Flow;
  /** Ends the connection, with the reason. Defaults to leaving it open. */
  fail?(reason: string): void;
}

/** What the gateway asks for itself and for all clients. */
const forEverybody = new Set(["ping", "tools/list", "prompts/list", "resources/list", "resources/templates/list"]);

/**
 * Many calls at once over one full-duplex connection (stdio, and whatever else carries whole messages): numeric ids of
 * our own towards the server, so that two clients' ids never meet; the caller puts its own id back into the answer. An
 * answer to a call that is not in flight here (late, doubled, of another connection) is dropped.
 */
export class Multiplexer {
  readonly #options: MultiplexerOptions;
  readonly #pending = new PendingTable<Pending>();
  readonly #ids: RequestIds;
  readonly #past = new PastCalls();
  readonly #replies = new PendingReplies();
  readonly #flow: Flow;
  #stuck: NodeJS.Timeout | undefined;
  #ended: EndReason | undefined;

  constructor(options: MultiplexerOptions) {
    this.#options = options;
    this.#ids = options.ids ?? new RequestIds();
    this.#flow = { pause: () => this.#pause(), resume: () => this.#resume() };
  }

  get inFlight(): number {
    return this.#pending.size;
  }

  /** The connection has gone. */
  get ended(): boolean {
    return this.#ended !== undefined;
  }

  request(method: string, params: Params | undefined, exchange: Exchange): Promise<RpcReply> {
    if (this.#ended !== undefined) return Promise.reject(this.#unreached(this.#ended));
    if (this.#crowded) return Promise.reject(this.#unread());
    return new Promise((resolve, reject) => {
      const progressToken = progressTokenOf(params);
      const id = this.#ids.next();
      const pending: Pending = { id, method, exchange, progressToken, timer: undefined, sent: false, resolve, reject };
      this.#pending.add(id, pending);
      pending.timer = setTimeout(() => this.#expire(id), exchange.remainingMs);
      exchange.onCancel((reason) => this.#cancel(id, reason));
      if (exchange.cancelled !== undefined) return;
      const sent = progressToken === undefined ? params : withProgressToken(params as Params, id);
      this.#options.send(encodeRequest(id, method, sent), () => {
        pending.sent = true;
      });
    });
  }

  /** Nothing to a server that does not read: a notification may be lost. */
  notify(method: string, params?: Params): void {
    if (this.#ended === undefined && !this.#crowded) this.#options.send(encodeNotification(method, params));
  }

  /**
   * Takes one message from the server, or an array of them (2025-03-26, basic/transports). A malformed one fails the call
   * that it names; without a name it is dropped.
   */
  receive(said: string): void {
    this.#options.events.heard?.();
    const text = withoutMark(said);
    if (!text.startsWith("[")) {
      this.#receive(text);
      return;
    }
    // All of them are read in one go, while nobody else is served.
    const flaw = shapeFlaw(text);
    if (flaw !== undefined) this.#options.fail?.(`the server sent an array of messages that cannot be read: ${flaw}`);
    else for (const one of elementTexts(text) ?? []) this.#receive(one);
  }

  /** Takes a line that is no UTF-8; `text` is what can be read of it. The call that it names fails. */
  garbled(text: string): void {
    if (memberText(text, "method") !== undefined) return;
    this.#refuse(nearlyIdOf(memberText(text, "id")), "the answer is not UTF-8; correct the server's output");
  }

  #receive(text: string): void {
    const response = takeApart(text);
    if (response !== undefined) {
      this.#settle(response.id, response.reply);
      return;
    }
    let message: RpcMessage;
    try {
      message = parseMessage(text);
    } catch (error) {
      this.#malformed(text, error);
      return;
    }
    if (isRequest(message)) void this.#answer(message);
    else if (isNotification(message)) this.#relay(message.method, message.params);
    else this.#settle(memberText(text, "id"), replyOf(message));
  }

  /** Rejects all calls in flight; later ones are refused with the same reason. */
  end(reason: EndReason): void {
    if (this.#ended !== undefined) return;
    this.#ended = reason;
    clearTimeout(this.#stuck);
    for (const pending of this.#pending) {
      clearTimeout(pending.timer);
      pending.exchange.finished();
      pending.reject(pending.sent ? this.#lost(reason) : this.#unreached(reason));
    }
    this.#pending.clear();
  }

  /** `said` is the id as the server wrote it; undefined for one that can be read in two ways. */
  #settle(said: string | undefined, reply: RpcReply): void {
    const pending = this.#take(idOf(said));
    if (pending !== undefined) {
      this.#past.answered(pending);
      pending.resolve(reply);
    } else this.#refuse(nearlyIdOf(said), "the answer has the request's id in another form");
  }

  /** A message that is none. What it says is shown only when it is JSON, for two answers can have got into one line. */
  #malformed(text: string, error: unknown): void {
    // What is too much to be parsed is too much to be searched: an id stands at its beginning or at its end.
    const large = text.length > edge && shapeFlaw(text) !== undefined;
    const searched = large ? text.slice(0, edge) : text;
    const said = memberText(searched, "id") ?? (large ? lastId.exec(text.slice(-edge))?.[1] : undefined);
    if (said === undefined || memberText(searched, "method") !== undefined) return;
    if (said === "null") this.#unnamed();
    else if (error instanceof FleetError) this.#refuse(nearlyIdOf(said), `${error.message}: ${excerpt(text, 200)}`);
    else this.#refuse(nearlyIdOf(said), `the answer is not JSON (${text.length} characters)`);
  }

  /** An error that names no request can only be about the one call in flight, if nobody has given up another one. */
  #unnamed(): void {
    let only: Pending | undefined;
    for (const pending of this.#pending) {
      if (pending.method === "subscriptions/listen") continue;
      if (only !== undefined) return;
      only = pending;
    }
    if (only === undefined || this.#past.anyAbandoned) return;
    this.#refuse(only.id, "the server answered with an error that names no request (its id is null)");
  }

  #refuse(id: number, problem: string): void {
    this.#take(id)?.reject(new FleetError("UPSTREAM_PROTOCOL", `${this.#options.name}: ${problem}`));
  }

  #relay(method: string, params: Params | undefined): void {
    if (method === "notifications/progress") {
      const token = plainNumber(params?.progressToken);
      const pending = typeof token === "number" ? this.#pending.get(token) : undefined;
      pending?.exchange.heard(method, params, pending.id, pending.progressToken);
      return;
    }
    const call = method === "notifications/message" ? this.#only : undefined;
    if (call === undefined) this.#options.events.onNotification(method, params);
    else call.listener?.(method, params);
  }

  /** The call in flight, if there is one and no other can still be at work: what names no call belongs to it. */
  get #only(): Exchange | undefined {
    let only: Pending | undefined;
    for (const pending of this.#pending) {
      if (ofNobody(pending)) continue;
      if (only !== undefined) return undefined;
      only = pending;
    }
    return only === undefined || this.#past.concernOthers(only.exchange) ? undefined : only.exchange;
  }

  async #answer({ id, method, params }: RpcRequest): Promise<void> {
    const reply = await answerServer(callOf(this.#pending, this.#past), method, params);
    if (this.#ended !== undefined) return;
    this.#replies.began(this.#flow);
    this.#options.send(encodeReply(id, reply), () => this.#replies.ended());
  }

  #pause(): void {
    this.#options.flow?.pause();
    this.#stuck = setTimeout(() => {
      const problem = `the server sends requests and has not read the replies for ${stuckMs} ms`;
      this.#options.fail?.(problem);
    }, stuckMs).unref();
  }

  #resume(): void {
    clearTimeout(this.#stuck);
    this.#options.flow?.resume();
  }

  #expire(id: number): void {
    const waiting = this.#pending.get(id);
    if (waiting === undefined) return;
    const { exchange } = waiting;
    const overtimeMs = exchange.overtimeMs();
    if (overtimeMs > 0) {
      waiting.timer = setTimeout(() => this.#expire(id), overtimeMs);
      return;
    }
    this.#abandon(id, "timeout");
    waiting.reject(exchange.expired(this.#options.name));
  }

  #cancel(id: number, reason: string): void {
    const pending = this.#abandon(id, reason);
    pending?.reject(pending.exchange.failure);
  }

  /** Nobody waits for a call any more, though its server may go on with it. */
  #abandon(requestId: number, reason: string): Pending | undefined {
    const pending = this.#take(requestId);
    if (pending === undefined) return undefined;
    this.#past.abandoned(pending);
    this.notify("notifications/cancelled", { requestId, reason });
    return pending;
  }

  #take(id: number): Pending | undefined {
    const pending = this.#pending.take(id);
    if (pending === undefined) return undefined;
    clearTimeout(pending.timer);
    pending.exchange.finished();
    return pending;
  }

  get #crowded(): boolean {
    return this.#options.unsent !== undefined && this.#options.unsent() > maxUnsentBytes;
  }

  #unread(): FleetError {
    const text = `${this.#options.name}: ${maxUnsentBytes} bytes wait for the server, which does not read; call again later`;
    return new FleetError("OVERLOADED", text);
  }

  #unreached(reason: EndReason): FleetError {
    const text = `${this.#options.name}: the server ended before the call reached it (${messageOf(reason)}); call again`;
    return new FleetError("UPSTREAM_UNREACHABLE", text);
  }

  #lost(reason: EndReason): FleetError {
    if (reason instanceof FleetError) return reason;
    return new FleetError(
      "INSTANCE_LOST",
      `${this.#options.name}: the server ended during the call (${reason}); call again`,
    );
  }
}

const zero = 48;
/** Digits of the largest id. */
const longestId = 10;
const numberInQuotes = /^"([1-9]\d{0,9})"$/;

/** The id that a server wrote; 0, which no request has, for what is none of ours. */
function idOf(said: string | undefined): number {
  if (said === undefined || said.length > longestId || said.charCodeAt(0) === zero) return 0;
  let id = 0;
  for (let at = 0; at < said.length; at += 1) {
    const digit = said.charCodeAt(at) - zero;
    if (digit < 0 || digit > 9) return 0;
    id = id * 10 + digit;
  }
  return id;
}

/** The id that it may have meant, to tell its call at once that the answer is wrong: `7.0`, `"7"`. */
function nearlyIdOf(said: string | undefined): number {
  const number = Number(numberInQuotes.exec(said ?? "")?.[1] ?? said);
  return Number.isSafeInteger(number) && number <= 2 ** 31 ? number : 0;
}

/** Open all the time, or asked by the gateway for everybody: a log line meanwhile tells nobody what is another caller's. */
function ofNobody({ method, exchange }: Pending): boolean {
  return method === "subscriptions/listen" || (exchange.client === undefined && forEverybody.has(method));
}
