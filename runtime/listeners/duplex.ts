import type { Logger } from "pino";
import { type ErrorCode, FleetError } from "../errors.ts";
import type { ClientSession, NoticeStream } from "../protocol/client-session.ts";
import { keyOf } from "../protocol/exact-number.ts";
import {
  encodeReply,
  errorReply,
  isNotification,
  isRequest,
  parseMessages,
  type RpcMessage,
  type RpcNotification,
  type RpcRequest,
  replyOf,
} from "../protocol/json-rpc.ts";
import { declarationOf, isModern } from "../protocol/modern-request.ts";
import { allowsBatch } from "../protocol/revisions.ts";
import { type ByteBudget, Holding } from "./byte-budget.ts";
import { onCredentialEnd } from "./credential-end.ts";
import type { ModernCalls } from "./modern-calls.ts";
import { reasonOf, type SessionCalls } from "./session-calls.ts";
import type { Subscriptions } from "./subscriptions.ts";
import type { Answer, McpTarget } from "./target.ts";

/** A connection that carries whole messages both ways: WebSocket, TCP, HTTP+SSE. */
export interface Channel {
  send(message: string): void;
  /** Bytes, or nearly, that the client has not taken yet. */
  readonly waiting: number;
  /** Cuts the connection of a client that does not read. */
  cut(): void;
  /** Ends the connection, and says why where the transport has a word for it. */
  close(reason: string): void;
  /** The budget knows what waits for the client without being told. Defaults to false. */
  readonly counted?: boolean;
  /** Stops and goes on reading: back-pressure on a client that sends faster than it reads, or than its calls are answered. */
  pause(): void;
  resume(): void;
}

export interface DuplexOptions {
  readonly calls: SessionCalls;
  readonly modern: ModernCalls;
  readonly subscriptions: Subscriptions;
  readonly log: Logger;
  /** Whatever requests carry, they are of the session: the other side has bridged eras already. Defaults to false. */
  readonly sessionEra?: boolean;
  /** Counts the bytes that wait on all connections. Defaults to none. */
  readonly budget?: ByteBudget | undefined;
}

/** Calls in flight on one connection, and bytes that wait for its client, past which it is not read. */
const maxInFlight = 256;
/** Requests of one read that wait for a place; a client that goes on past it does not heed back-pressure and is cut. */
const maxHeld = 4096;
const slowAbove = 8 * 1024 * 1024;
/** Bytes that may wait for a client before it is cut: some results of the largest size that clients get in practice. */
export const maxWaiting = 64 * 1024 * 1024;

/**
 * One client on a full-duplex connection (basic/transports, "Custom transports"). The connection is the session: it
 * begins with `initialize` and ends with the connection; stateless requests need none.
 */
export class Duplex {
  readonly #options: DuplexOptions;
  readonly #target: McpTarget;
  readonly #channel: Channel;
  /** What ends a stateless call or subscription, by the key of the client's request id. */
  readonly #cancels = new Map<unknown, (reason: string) => void>();
  readonly #answer: Answer = {
    send: (message) => this.#send(message),
    caughtUp: () => this.#caughtUp?.promise,
  };
  #session: { readonly id: string; readonly session: ClientSession } | undefined;
  #opening: Promise<unknown> | undefined;
  /** Messages that wait until the session is open. */
  #behindOpening = 0;
  #inFlight = 0;
  /** Bytes, or nearly, of the messages that have come and are under way or wait. */
  #bytes = 0;
  readonly #calls: Holding | undefined;
  readonly #unread: Holding | undefined;
  /** Requests that wait for a place among those in flight, in the order in which they came. */
  readonly #held: (() => void)[] = [];
  #paused = false;
  #caughtUp: PromiseWithResolvers<void> | undefined;
  #closed = false;
  /** The credential has ended that the client came with. */
  #expired = false;
  readonly #forgetEnd: () => void;

  constructor(options: DuplexOptions, target: McpTarget, channel: Channel) {
    this.#options = options;
    this.#target = target;
    this.#channel = channel;
    this.#forgetEnd = onCredentialEnd(target, () => this.#expire());
    const { budget } = options;
    if (budget === undefined) return;
    const cut = () => channel.cut();
    this.#calls = new Holding(budget, "calls", cut);
    if (!channel.counted) this.#unread = new Holding(budget, "answers", cut, () => channel.waiting);
  }

  /** Bytes, or nearly, that wait for its client; bound: `maxWaiting`. */
  get waiting(): number {
    return this.#channel.waiting;
  }

  /** Takes one message, or an array of them; what is wrong with it is answered, and returned. */
  receive(text: string): ErrorCode | undefined {
    let messages: RpcMessage | RpcMessage[];
    try {
      messages = parseMessages(text);
      if (Array.isArray(messages)) this.#checkBatch();
    } catch (error) {
      this.#send(encodeReply(null, errorReply(error)));
      return (error as FleetError).code;
    }
    const { length } = text;
    this.#has(length);
    void (Array.isArray(messages) ? this.#batch(messages, length) : this.#single(messages, length));
    return undefined;
  }

  /** Something came that is no message. */
  garbled(text = "the message is not UTF-8; send JSON-RPC messages encoded as UTF-8"): void {
    this.#send(encodeReply(null, errorReply(new FleetError("PARSE_ERROR", text))));
  }

  /** As many requests are in flight as may be, and one waits: a channel that cannot be paused takes no more. */
  get crowded(): boolean {
    return this.#held.length > 0;
  }

  /** Whose process the connection's session works with, where that is not its own. */
  leasedTo(owner: string): void {
    if (this.#session !== undefined) this.#session.session.lease = owner;
  }

  /** The connection has gone: so have its calls, its subscriptions and its session. */
  closed(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#forgetEnd();
    this.#caughtUp?.resolve();
    this.#calls?.set(0);
    this.#unread?.set(0);
    for (const go of this.#held.splice(0)) go();
    for (const cancel of [...this.#cancels.values()]) cancel("the client closed the connection");
    if (this.#session === undefined) return;
    for (const exchange of this.#session.session.calls) exchange.cancel("the client closed the connection");
    this.#options.calls.sessions.end(this.#session.id);
  }

  #checkBatch(): void {
    const revision = this.#session?.session.claims.revision;
    if (revision !== undefined && allowsBatch(revision)) return;
    throw new FleetError("INVALID_REQUEST", "Invalid request: only MCP 2025-03-26 has batches; send one message");
  }

  async #single(message: RpcMessage, length: number): Promise<void> {
    const entering = isRequest(message) ? this.#enter() : undefined;
    if (entering !== undefined) await entering;
    const answer = await this.#take(message);
    this.#has(-length);
    if (answer !== undefined) this.#send(answer);
    if (this.#expired) this.#closeIfIdle();
  }

  /** The messages of a batch are in flight like any others: no more of them at once. */
  async #batch(messages: RpcMessage[], length: number): Promise<void> {
    const taken: Promise<string | undefined>[] = [];
    for (const message of messages) {
      const entering = isRequest(message) ? this.#enter() : undefined;
      if (entering !== undefined) await entering;
      taken.push(this.#take(message));
    }
    const answers = (await Promise.all(taken)).filter(Boolean);
    this.#has(-length);
    if (answers.length > 0) this.#send(`[${answers.join(",")}]`);
    if (this.#expired) this.#closeIfIdle();
  }

  /** The answer to a message, if it has one; never rejects. A request has a place among those in flight. */
  async #take(message: RpcMessage): Promise<string | undefined> {
    if (this.#closed) return undefined;
    const request = isRequest(message);
    try {
      const modern = !this.#options.sessionEra && isModern(message, {});
      return modern ? await this.#modern(message) : await this.#ofSession(message);
    } catch (error) {
      if (!(error instanceof FleetError)) this.#options.log.error({ err: error }, "a request failed unexpectedly");
      return request ? encodeReply(message.id, errorReply(error)) : undefined;
    } finally {
      if (request) this.#left();
    }
  }

  async #ofSession(message: RpcMessage): Promise<string | undefined> {
    const { calls } = this.#options;
    if (isRequest(message) && message.method === "initialize") return this.#open(message);
    // A client may send what comes next before it has the answer: a connection keeps the order.
    if (this.#opening !== undefined && !(await this.#opened(message))) return undefined;
    if (isNotification(message)) this.#cancelled(message);
    const session = this.#session?.session;
    if (session === undefined) {
      if (!isRequest(message)) return undefined;
      if (message.method === "ping") return encodeReply(message.id, { result: {} });
      throw new FleetError("SESSION_MISSING", "Bad request: initialize a session first");
    }
    if (isRequest(message)) {
      return encodeReply(message.id, await calls.call(session, this.#target, message, this.#answer));
    }
    if (isNotification(message)) calls.notified(session, this.#target, message);
    else session.answered(message.id, replyOf(message));
    return undefined;
  }

  /** One session after the other: a connection has one. */
  #open(message: RpcRequest): Promise<string> {
    const before = this.#opening;
    const opening = before === undefined ? this.#initialize(message) : before.then(() => this.#initialize(message));
    const done = opening
      .catch(() => {})
      .then(() => {
        if (this.#opening === done) this.#opening = undefined;
        this.#regulate();
      });
    this.#opening = done;
    this.#regulate();
    return opening;
  }

  /** Waits for the session; false for a notification past as many as may wait, which is dropped. */
  async #opened(message: RpcMessage): Promise<boolean> {
    if (!isRequest(message) && this.#behindOpening >= maxInFlight) return false;
    this.#behindOpening += 1;
    await this.#opening;
    this.#behindOpening -= 1;
    return true;
  }

  #cancelled({ method, params }: RpcNotification): void {
    if (method !== "notifications/cancelled") return;
    this.#cancels.get(keyOf(params?.requestId))?.(reasonOf(params));
  }

  async #initialize(message: RpcRequest): Promise<string> {
    const { calls } = this.#options;
    if (this.#session !== undefined) calls.sessions.end(this.#session.id);
    const { answer, id, session } = await calls.open(this.#target, message);
    session.streams.add(this.#stream());
    this.#session = { id, session };
    if (this.#closed) calls.sessions.end(id);
    return answer;
  }

  async #modern(message: RpcMessage): Promise<string | undefined> {
    if (isNotification(message)) this.#cancelled(message);
    if (!isRequest(message)) return undefined;
    const { modern } = this.#options;
    const declared = declarationOf(message);
    const key = keyOf(message.id);
    if (this.#cancels.has(key)) {
      const text = `Invalid request: the id ${JSON.stringify(message.id)} belongs to a request that is open; use another`;
      throw new FleetError("INVALID_REQUEST", text);
    }
    if (message.method === "subscriptions/listen") return this.#listen(message);
    let cancelled = false;
    const outcome = await modern.call(this.#target, message, declared, this.#answer, (cancel) => {
      this.#cancels.set(key, (reason) => {
        cancelled = true;
        cancel(reason);
      });
      return () => this.#cancels.delete(key);
    });
    // Who cancels a call wants no answer to it (basic/patterns/cancellation).
    return cancelled ? undefined : encodeReply(message.id, outcome);
  }

  /** A subscription ends with its cancellation, or with the connection. */
  async #listen(message: RpcRequest): Promise<undefined> {
    const id = keyOf(message.id);
    let ended = false;
    this.#cancels.set(id, () => {
      ended = true;
    });
    try {
      const close = await this.#options.subscriptions.open(() => this.#stream(), this.#target, message);
      if (ended || this.#closed) close();
      else this.#cancels.set(id, () => this.#cancels.delete(id) && close());
    } catch (error) {
      this.#cancels.delete(id);
      throw error;
    }
    if (ended) this.#cancels.delete(id);
    return undefined;
  }

  /** Nothing is told any more but the answers to calls that have begun; then the connection ends. */
  #expire(): void {
    this.#expired = true;
    this.#closeIfIdle();
  }

  #closeIfIdle(): void {
    if (this.#inFlight === 0) this.#channel.close("the credential has expired");
  }

  /** What is not the answer to a request: it ends without the connection. */
  #stream(): NoticeStream {
    return {
      attached: true,
      send: (message) => {
        if (!this.#expired) this.#send(message);
      },
      // Quiet connections are looked after by their listeners, with a session or without.
      keepAlive: () => {},
      end: (message) => {
        if (message !== undefined) this.#send(message);
      },
    };
  }

  #send(message: string): boolean {
    if (this.#closed) return false;
    if (this.#channel.waiting > maxWaiting) {
      this.#channel.cut();
      return false;
    }
    this.#channel.send(message);
    this.#regulate();
    return true;
  }

  /** So many bytes more, or less, are under way. */
  #has(more: number): void {
    this.#bytes += more;
    if (!this.#closed) this.#calls?.set(this.#bytes);
    if (this.#bytes > maxWaiting || (this.#paused && more < 0)) this.#regulate();
  }

  /** A request takes a place among those in flight: at once, or when one is free. */
  #enter(): Promise<void> | undefined {
    if (this.#inFlight < maxInFlight) {
      this.#inFlight += 1;
      this.#regulate();
      return undefined;
    }
    if (this.#held.length >= maxHeld) this.#channel.cut();
    const turn = Promise.withResolvers<void>();
    this.#held.push(turn.resolve);
    return turn.promise;
  }

  /** Its place goes to the one that has waited longest. */
  #left(): void {
    const next = this.#held.shift();
    if (next !== undefined) next();
    else {
      this.#inFlight -= 1;
      this.#regulate();
    }
  }

  /** The channel tells that its client has taken something. */
  taken(): void {
    if (this.#paused || (this.#unread?.bytes ?? 0) > 0) this.#regulate();
  }

  #regulate(): void {
    const { waiting } = this.#channel;
    const slow = waiting > slowAbove;
    if (!this.#closed) this.#unread?.set(waiting);
    if (slow) this.#caughtUp ??= Promise.withResolvers();
    else {
      this.#caughtUp?.resolve();
      this.#caughtUp = undefined;
    }
    const many = this.#inFlight >= maxInFlight || this.#bytes > maxWaiting;
    const full = slow || many || this.#opening !== undefined;
    if (full === this.#paused) return;
    this.#paused = full;
    if (full) this.#channel.pause();
    else this.#channel.resume();
  }
}
