import { FleetError } from "../../errors.ts";
import type { Exchange } from "../../protocol/exchange.ts";
import type { Params, RpcReply } from "../../protocol/json-rpc.ts";
import { priorityOf } from "../../protocol/priority.ts";
import type { FleetCall } from "../../registry/fleet-call.ts";
import { type MinimumShares, PriorityQueue, type Waiting } from "../priority-queue.ts";

/** A call in a batch. Its upstream settles it. */
export interface BatchedCall {
  readonly method: string;
  readonly params: Params | undefined;
  readonly timeoutMs: number;
  readonly resolve: (reply: RpcReply) => void;
  readonly reject: (error: unknown) => void;
}

/** What takes several calls at once. */
export interface BatchUpstream {
  /** Sends the calls and settles each one; resolves when all are settled, and never rejects. */
  send(calls: readonly BatchedCall[]): Promise<void>;
  close(): Promise<void>;
}

export interface BatcherOptions {
  /** For messages, such as `context7`. */
  readonly name: string;
  readonly upstream: BatchUpstream;
  readonly maxBatchSize: number;
  /** Longest time that a call waits for company while other batches are under way. */
  readonly batchTimeoutMs: number;
  /** Batches under way at once. */
  readonly maxInFlight: number;
  readonly maxWaiting: number;
  readonly ageMs: number;
  readonly minimumPercent: MinimumShares;
  readonly now: () => number;
  readonly onBatch: (size: number) => void;
}

/**
 * Gathers calls into batches, the most urgent first. The delay adapts as in Nagle's algorithm (RFC 896): with nothing
 * under way a call goes out with those of the same turn of the event loop; otherwise what comes is gathered until a batch
 * is full, one under way has come back, or `batchTimeoutMs` are over.
 */
export class Batcher {
  readonly #options: BatcherOptions;
  readonly #queue: PriorityQueue<BatchedCall>;
  #inFlight = 0;
  #immediate: NodeJS.Immediate | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: BatcherOptions) {
    this.#options = options;
    this.#queue = new PriorityQueue(options);
  }

  get waiting(): number {
    return this.#queue.size;
  }

  readonly call: FleetCall = (_client, method, params, exchange) =>
    new Promise((resolve, reject) => this.#add(method, params, exchange, resolve, reject));

  /** Refuses what waits and lets go what is under way. */
  async close(): Promise<void> {
    this.#closed = true;
    clearImmediate(this.#immediate);
    clearTimeout(this.#timer);
    for (let entry = this.#queue.shift(); entry !== undefined; entry = this.#queue.shift()) {
      entry.item.reject(new FleetError("DRAINING", `${this.#options.name}: the batching engine is closed`));
    }
    await this.#options.upstream.close();
  }

  #add(
    method: string,
    params: Params | undefined,
    exchange: Exchange,
    resolve: (reply: RpcReply) => void,
    reject: (error: unknown) => void,
  ): void {
    const { name, maxWaiting } = this.#options;
    if (this.#closed) {
      reject(new FleetError("DRAINING", `${name}: the batching engine is closed`));
      return;
    }
    const { timeoutMs } = exchange;
    const timer = setTimeout(() => this.#expire(entry, timeoutMs), timeoutMs);
    const call: BatchedCall = {
      ...{ method, params, timeoutMs },
      resolve: (reply) => {
        clearTimeout(timer);
        resolve(reply);
      },
      reject: (error) => {
        clearTimeout(timer);
        reject(error);
      },
    };
    const { entry, displaced } = this.#queue.push(call, priorityOf(params, exchange));
    for (const refused of [displaced?.item, entry === undefined ? call : undefined]) {
      refused?.reject(new FleetError("QUEUE_FULL", `${name}: ${maxWaiting} calls wait for a batch; call again later`));
    }
    if (entry === undefined) return;
    exchange.onCancel((reason) => this.#cancel(entry, reason));
    this.#plan();
  }

  #cancel(entry: Waiting<BatchedCall>, reason: string): void {
    this.#queue.remove(entry);
    entry.item.reject(new FleetError("CANCELLED", `cancelled by the client: ${reason}`));
  }

  #expire(entry: Waiting<BatchedCall> | undefined, timeoutMs: number): void {
    if (entry === undefined) return;
    this.#queue.remove(entry);
    const text = `${this.#options.name}: no answer within ${timeoutMs} ms; give the request a longer timeout`;
    entry.item.reject(new FleetError("REQUEST_TIMEOUT", text));
  }

  #plan(): void {
    const { maxBatchSize, batchTimeoutMs, maxInFlight } = this.#options;
    if (this.#queue.size === 0 || this.#inFlight >= maxInFlight) return;
    if (this.#queue.size >= maxBatchSize) this.#flush();
    else if (this.#inFlight === 0) this.#immediate ??= setImmediate(() => this.#flush());
    else this.#timer ??= setTimeout(() => this.#flush(), batchTimeoutMs);
  }

  #flush(): void {
    clearImmediate(this.#immediate);
    clearTimeout(this.#timer);
    this.#immediate = undefined;
    this.#timer = undefined;
    const calls: BatchedCall[] = [];
    while (calls.length < this.#options.maxBatchSize) {
      const entry = this.#queue.shift();
      if (entry === undefined) break;
      calls.push(entry.item);
    }
    if (calls.length === 0) return;
    this.#inFlight += 1;
    this.#options.onBatch(calls.length);
    void this.#options.upstream.send(calls).then(() => {
      this.#inFlight -= 1;
      if (!this.#closed && this.#queue.size > 0 && this.#inFlight < this.#options.maxInFlight) this.#flush();
    });
    this.#plan();
  }
}
