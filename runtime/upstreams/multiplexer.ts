import { FleetError, messageOf } from "../errors.ts";
import { answerServer, clientOf } from "../protocol/client-requests.ts";
import type { Exchange } from "../protocol/exchange.ts";
import {
  encodeNotification,
  encodeReply,
  encodeRequest,
  isNotification,
  isRequest,
  type Params,
  parseMessage,
  type RequestId,
  type RpcMessage,
  type RpcReply,
  type RpcRequest,
  replyOf,
} from "../protocol/json-rpc.ts";
import { takeApart } from "../protocol/raw-reply.ts";
import { SlotTable } from "../protocol/slot-table.ts";
import type { EndReason, SessionEvents } from "./upstream-session.ts";

interface Pending {
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
  /** Hands one encoded message to the transport, which says when it has gone out. */
  send(message: string, onSent?: () => void): void;
}

/**
 * Many calls at once over one full-duplex connection (stdio, and whatever else carries whole messages): numeric ids of
 * our own towards the server, so that two clients' ids never meet; the caller puts its own id back into the answer.
 */
export class Multiplexer {
  readonly #options: MultiplexerOptions;
  readonly #pending = new SlotTable<Pending>();
  #ended: EndReason | undefined;

  constructor(options: MultiplexerOptions) {
    this.#options = options;
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
    return new Promise((resolve, reject) => {
      const progressToken = tokenOf(params);
      const pending: Pending = { method, exchange, progressToken, timer: undefined, sent: false, resolve, reject };
      const id = this.#pending.add(pending);
      pending.timer = setTimeout(() => this.#expire(id), exchange.remainingMs);
      exchange.onCancel((reason) => this.#cancel(id, reason));
      if (exchange.cancelled !== undefined) return;
      const sent = progressToken === undefined ? params : withToken(params as Params, id);
      this.#options.send(encodeRequest(id, method, sent), () => {
        pending.sent = true;
      });
    });
  }

  notify(method: string, params?: Params): void {
    if (this.#ended === undefined) this.#options.send(encodeNotification(method, params));
  }

  /** Takes one message from the server. A malformed one is dropped: the call's deadline deals with its absence. */
  receive(text: string): void {
    const response = takeApart(text);
    if (response !== undefined) {
      this.#settle(response.id, response.reply);
      return;
    }
    let message: RpcMessage;
    try {
      message = parseMessage(text);
    } catch {
      return;
    }
    if (isRequest(message)) this.#answer(message);
    else if (isNotification(message)) this.#relay(message.method, message.params);
    else this.#settle(message.id, replyOf(message));
  }

  /** Rejects all calls in flight; later ones are refused with the same reason. */
  end(reason: EndReason): void {
    if (this.#ended !== undefined) return;
    this.#ended = reason;
    for (const pending of this.#pending) {
      clearTimeout(pending.timer);
      pending.reject(pending.sent ? this.#lost(reason) : this.#unreached(reason));
    }
    this.#pending.clear();
  }

  #settle(id: RequestId, reply: RpcReply): void {
    this.#take(id)?.resolve(reply);
  }

  #relay(method: string, params: Params | undefined): void {
    if (method === "notifications/progress") {
      const pending = this.#pending.get(params?.progressToken);
      if (pending !== undefined)
        pending.exchange.listener?.(method, { ...params, progressToken: pending.progressToken });
      return;
    }
    // A log line names no call; with one call in flight it can belong to no other.
    const calls = [...this.#pending].filter((pending) => pending.method !== "subscriptions/listen");
    if (method === "notifications/message" && calls.length === 1) {
      calls[0]?.exchange.listener?.(method, params);
      return;
    }
    this.#options.events.onNotification(method, params);
  }

  #answer({ id, method, params }: RpcRequest): void {
    const client = clientOf([...this.#pending].map(({ exchange }) => exchange));
    void answerServer(client, method, params).then((reply) => {
      if (this.#ended === undefined) this.#options.send(encodeReply(id, reply));
    });
  }

  #expire(id: RequestId): void {
    const waiting = this.#pending.get(id);
    if (waiting?.exchange.client?.asked) {
      waiting.timer = setTimeout(() => this.#expire(id), waiting.exchange.timeoutMs);
      return;
    }
    const pending = this.#take(id);
    if (pending === undefined) return;
    this.notify("notifications/cancelled", { requestId: id, reason: "timeout" });
    const { timeoutMs } = pending.exchange;
    const fix = "raise timeouts.requestMs of this server, or ask for less in one call";
    pending.reject(
      new FleetError("REQUEST_TIMEOUT", `${this.#options.name}: no answer within ${timeoutMs} ms; ${fix}`),
    );
  }

  #cancel(id: RequestId, reason: string): void {
    const pending = this.#take(id);
    if (pending === undefined) return;
    this.notify("notifications/cancelled", { requestId: id, reason });
    pending.reject(new FleetError("CANCELLED", `cancelled by the client: ${reason}`));
  }

  #take(id: RequestId): Pending | undefined {
    const pending = this.#pending.take(id);
    clearTimeout(pending?.timer);
    return pending;
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

function tokenOf(params: Params | undefined): unknown {
  return (params?._meta as Params | undefined)?.progressToken;
}

/** Two clients may choose the same token: the server gets our request id instead. */
function withToken(params: Params, id: number): Params {
  return { ...params, _meta: { ...(params._meta as Params), progressToken: id } };
}
