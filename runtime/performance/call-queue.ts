import { FleetError } from "../errors.ts";
import type { Exchange } from "../protocol/exchange.ts";
import type { Params, RpcReply } from "../protocol/json-rpc.ts";
import { type Priority, priorityOf } from "../protocol/priority.ts";
import type { FleetClient } from "../registry/fleet.ts";
import type { FleetCall } from "../registry/fleet-call.ts";
import { type MinimumShares, PriorityQueue, type Waiting } from "./priority-queue.ts";

export interface CallQueueOptions {
  /** For messages, such as `context7`. */
  readonly fleet: string;
  /** Calls that may be under way at once. */
  readonly concurrency: number;
  readonly maxWaiting: number;
  readonly maxWaitMs: number;
  readonly ageMs: number;
  readonly minimumPercent: MinimumShares;
  readonly now: () => number;
  /** A call has begun after waiting so long. */
  readonly onWaited: (priority: Priority, ms: number) => void;
}

interface Held {
  readonly client: FleetClient;
  readonly method: string;
  readonly params: Params | undefined;
  readonly exchange: Exchange;
  readonly timer: NodeJS.Timeout;
  readonly resolve: (reply: Promise<RpcReply>) => void;
  readonly reject: (error: FleetError) => void;
}

/**
 * Lets so many calls of a fleet go at once; the others wait in a bounded queue, the most urgent first. A call that
 * finds no place, is displaced by a more urgent one, or waits too long is refused with QUEUE_FULL, which may be retried.
 */
export class CallQueue {
  readonly #next: FleetCall;
  readonly #options: CallQueueOptions;
  readonly #queue: PriorityQueue<Held>;
  readonly #ended = () => this.#release();
  #running = 0;

  constructor(next: FleetCall, options: CallQueueOptions) {
    this.#next = next;
    this.#options = options;
    this.#queue = new PriorityQueue(options);
  }

  /** Calls that wait. */
  get size(): number {
    return this.#queue.size;
  }

  /** Calls that wait at a level. */
  length(priority: Priority): number {
    return this.#queue.length(priority);
  }

  readonly call: FleetCall = (client, method, params, exchange) => {
    if (this.#running < this.#options.concurrency) return this.#start(client, method, params, exchange);
    return new Promise((resolve, reject) => this.#wait(client, method, params, exchange, resolve, reject));
  };

  #start(client: FleetClient, method: string, params: Params | undefined, exchange: Exchange): Promise<RpcReply> {
    this.#running += 1;
    const reply = this.#next(client, method, params, exchange);
    reply.then(this.#ended, this.#ended);
    return reply;
  }

  #wait(
    client: FleetClient,
    method: string,
    params: Params | undefined,
    exchange: Exchange,
    resolve: Held["resolve"],
    reject: Held["reject"],
  ): void {
    const { maxWaitMs, now } = this.#options;
    const leftMs = exchange.deadline === undefined ? exchange.timeoutMs : exchange.deadline - now();
    const waitMs = Math.min(maxWaitMs, Math.max(0, Math.ceil(leftMs)));
    const timer = setTimeout(() => this.#refuse(entry, `has waited ${waitMs} ms`), waitMs);
    const held: Held = { client, method, params, exchange, timer, resolve, reject };
    const { entry, displaced } = this.#queue.push(held, priorityOf(params, exchange));
    if (displaced !== undefined) this.#refuse(displaced, "made room for a more urgent one");
    if (entry === undefined) {
      clearTimeout(timer);
      reject(this.#full("found no place in the queue"));
      return;
    }
    exchange.onCancel((reason) => {
      if (!this.#queue.remove(entry)) return;
      clearTimeout(timer);
      reject(new FleetError("CANCELLED", `cancelled by the client: ${reason}`));
    });
  }

  #refuse(entry: Waiting<Held> | undefined, why: string): void {
    if (entry === undefined) return;
    this.#queue.remove(entry);
    clearTimeout(entry.item.timer);
    entry.item.reject(this.#full(why));
  }

  #release(): void {
    this.#running -= 1;
    const entry = this.#queue.shift();
    if (entry === undefined) return;
    const { client, method, params, exchange, timer, resolve } = entry.item;
    clearTimeout(timer);
    this.#options.onWaited(entry.priority, this.#options.now() - entry.since);
    resolve(this.#start(client, method, params, exchange));
  }

  #full(why: string): FleetError {
    const { fleet, concurrency } = this.#options;
    const fix = "call again later, or raise queue.concurrency of this server";
    return new FleetError("QUEUE_FULL", `${fleet}: ${concurrency} calls are under way and this one ${why}; ${fix}`);
  }
}
