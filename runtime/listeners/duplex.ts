import type { Logger } from "pino";
import { FleetError } from "../errors.ts";
import type { ClientSession, NoticeStream } from "../protocol/client-session.ts";
import {
  encodeReply,
  errorReply,
  isNotification,
  isRequest,
  parseMessages,
  type RequestId,
  type RpcMessage,
  type RpcRequest,
  replyOf,
} from "../protocol/json-rpc.ts";
import { declarationOf, isModern } from "../protocol/modern-request.ts";
import { allowsBatch } from "../protocol/revisions.ts";
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
  /** A sign of life on a quiet connection. */
  keepAlive(): void;
  close(): void;
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
}

/** Calls in flight on one connection, and bytes that wait for its client, past which it is not read. */
const maxInFlight = 256;
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
  /** What ends a stateless call or subscription, by the client's request id. */
  readonly #cancels = new Map<RequestId, (reason: string) => void>();
  readonly #answer: Answer = {
    send: (message) => this.#send(message),
    caughtUp: () => this.#caughtUp?.promise,
  };
  #session: { readonly id: string; readonly session: ClientSession } | undefined;
  #opening: Promise<void> | undefined;
  #inFlight = 0;
  #paused = false;
  #caughtUp: PromiseWithResolvers<void> | undefined;
  #closed = false;

  constructor(options: DuplexOptions, target: McpTarget, channel: Channel) {
    this.#options = options;
    this.#target = target;
    this.#channel = channel;
  }

  /** Bytes, or nearly, that wait for its client; bound: `maxWaiting`. */
  get waiting(): number {
    return this.#channel.waiting;
  }

  /** Takes one message, or an array of them. */
  receive(text: string): void {
    let messages: RpcMessage | RpcMessage[];
    try {
      messages = parseMessages(text);
      if (Array.isArray(messages)) this.#checkBatch();
    } catch (error) {
      this.#send(encodeReply(null, errorReply(error)));
      return;
    }
    if (Array.isArray(messages)) void this.#batch(messages);
    else void this.#take(messages).then((answer) => answer !== undefined && this.#send(answer));
  }

  /** Something came that is no text. */
  garbled(): void {
    const text = "the message is not UTF-8; send JSON-RPC messages encoded as UTF-8";
    this.#send(encodeReply(null, errorReply(new FleetError("PARSE_ERROR", text))));
  }

  /** Whose process the connection's session works with, where that is not its own. */
  leasedTo(owner: string): void {
    if (this.#session !== undefined) this.#session.session.lease = owner;
  }

  /** The connection has gone: so have its calls, its subscriptions and its session. */
  closed(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#caughtUp?.resolve();
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

  async #batch(messages: RpcMessage[]): Promise<void> {
    const answers = (await Promise.all(messages.map((message) => this.#take(message)))).filter(Boolean);
    if (answers.length > 0) this.#send(`[${answers.join(",")}]`);
  }

  /** The answer to a message, if it has one; never rejects. */
  async #take(message: RpcMessage): Promise<string | undefined> {
    const request = isRequest(message);
    if (request) this.#began();
    try {
      const modern = !this.#options.sessionEra && isModern(message, {});
      return modern ? await this.#modern(message) : await this.#ofSession(message);
    } catch (error) {
      if (!(error instanceof FleetError)) this.#options.log.error({ err: error }, "a request failed unexpectedly");
      return request ? encodeReply(message.id, errorReply(error)) : undefined;
    } finally {
      if (request) this.#finished();
    }
  }

  async #ofSession(message: RpcMessage): Promise<string | undefined> {
    const { calls } = this.#options;
    if (isRequest(message) && message.method === "initialize") {
      const opening = this.#initialize(message);
      this.#opening = opening.then(
        () => {},
        () => {},
      );
      return opening;
    }
    // A client may send what comes next before it has the answer: a connection keeps the order.
    await this.#opening;
    if (isNotification(message) && message.method === "notifications/cancelled") {
      this.#cancels.get(message.params?.requestId as RequestId)?.(reasonOf(message.params));
    }
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
    if (!isRequest(message)) return undefined;
    const { modern, subscriptions } = this.#options;
    const declared = declarationOf(message);
    if (message.method === "subscriptions/listen") {
      const close = await subscriptions.open(() => this.#stream(), this.#target, message);
      this.#cancels.set(message.id, close);
      if (this.#closed) close();
      return undefined;
    }
    let cancelled = false;
    const outcome = await modern.call(this.#target, message, declared, this.#answer, (cancel) => {
      this.#cancels.set(message.id, (reason) => {
        cancelled = true;
        cancel(reason);
      });
      return () => this.#cancels.delete(message.id);
    });
    // Who cancels a call wants no answer to it (basic/patterns/cancellation).
    return cancelled ? undefined : encodeReply(message.id, outcome);
  }

  /** What is not the answer to a request: it ends without the connection. */
  #stream(): NoticeStream {
    return {
      attached: true,
      send: (message) => void this.#send(message),
      keepAlive: () => this.#channel.keepAlive(),
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

  #began(): void {
    this.#inFlight += 1;
    this.#regulate();
  }

  #finished(): void {
    this.#inFlight -= 1;
    this.#regulate();
  }

  /** The channel tells that its client has taken something. */
  taken(): void {
    if (this.#paused) this.#regulate();
  }

  #regulate(): void {
    const slow = this.#channel.waiting > slowAbove;
    if (slow) this.#caughtUp ??= Promise.withResolvers();
    else {
      this.#caughtUp?.resolve();
      this.#caughtUp = undefined;
    }
    const full = slow || this.#inFlight >= maxInFlight;
    if (full === this.#paused) return;
    this.#paused = full;
    if (full) this.#channel.pause();
    else this.#channel.resume();
  }
}
