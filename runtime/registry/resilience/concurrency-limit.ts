import { FleetError } from "../../errors.ts";
import type { Bound } from "../../observability/bounds.ts";
import type { Exchange } from "../../protocol/exchange.ts";
import type { RpcReply } from "../../protocol/json-rpc.ts";
import type { FleetCall } from "../fleet-call.ts";
import type { AdaptiveLimit } from "./adaptive-limit.ts";

export interface ConcurrencyLimitOptions {
  readonly fleet: string;
  readonly maxInFlight: number;
  readonly maxQueue: number;
  readonly queueMs: number;
  /** Lowers maxInFlight while answers become slower; undefined when the limit is fixed. */
  readonly adaptive: AdaptiveLimit | undefined;
  readonly now: () => number;
  /** A call was refused. */
  readonly onShed: () => void;
}

interface Waiter {
  timer: NodeJS.Timeout;
  go(): void;
}

/** So many calls of one fleet at a time; the next ones wait in a bounded queue, and what is beyond it is refused at once. */
export class ConcurrencyLimit {
  readonly #options: ConcurrencyLimitOptions;
  readonly #queue = new Set<Waiter>();
  #inFlight = 0;

  constructor(options: ConcurrencyLimitOptions) {
    this.#options = options;
  }

  get limit(): number {
    return this.#options.adaptive?.limit ?? this.#options.maxInFlight;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get waiting(): number {
    return this.#queue.size;
  }

  /** How near its bounds are. */
  bounds(): readonly Bound[] {
    const { maxQueue } = this.#options;
    return [
      { name: "calls", whenFull: "wait", use: () => ({ size: this.#inFlight, max: this.limit }) },
      { name: "calls_waiting", whenFull: "refuse", use: () => ({ size: this.#queue.size, max: maxQueue }) },
    ];
  }

  around(next: FleetCall): FleetCall {
    const { adaptive, now } = this.#options;
    const answered = (reply: RpcReply): RpcReply => {
      this.#left();
      return reply;
    };
    const failed = (error: unknown): never => {
      this.#left();
      throw error;
    };
    const timed: FleetCall = (client, method, params, exchange) => {
      const began = now();
      return next(client, method, params, exchange).then((reply) => {
        adaptive?.answered(now() - began, this.#inFlight);
        return reply;
      });
    };
    const placed = adaptive === undefined ? next : timed;
    return (client, method, params, exchange) => {
      if (this.#inFlight >= this.limit || this.#queue.size > 0) {
        return this.#wait(exchange).then(() => placed(client, method, params, exchange).then(answered, failed));
      }
      this.#inFlight += 1;
      return placed(client, method, params, exchange).then(answered, failed);
    };
  }

  /** Resolves when the call has its place. */
  #wait(exchange: Exchange): Promise<void> {
    const { maxQueue, queueMs, onShed } = this.#options;
    if (this.#queue.size >= maxQueue) {
      onShed();
      return Promise.reject(this.#overloaded(`${this.#inFlight} calls in flight and ${maxQueue} waiting`));
    }
    return new Promise((resolve, reject) => {
      const give = (error: FleetError) => {
        clearTimeout(waiter.timer);
        if (this.#queue.delete(waiter)) reject(error);
      };
      const waitMs = Math.min(queueMs, exchange.remainingMs);
      const late = () => {
        onShed();
        give(this.#overloaded(`no place within ${waitMs} ms`));
      };
      const waiter: Waiter = {
        timer: setTimeout(late, waitMs),
        go: () => {
          clearTimeout(waiter.timer);
          this.#inFlight += 1;
          resolve();
        },
      };
      this.#queue.add(waiter);
      exchange.onCancel((reason) => give(new FleetError("CANCELLED", `cancelled by the client: ${reason}`)));
    });
  }

  #left(): void {
    this.#inFlight -= 1;
    this.#advance();
  }

  #advance(): void {
    while (this.#inFlight < this.limit) {
      const [first] = this.#queue;
      if (first === undefined) return;
      this.#queue.delete(first);
      first.go();
    }
  }

  #overloaded(what: string): FleetError {
    const fix = "call again later, or raise concurrency of this server if it can take more";
    return new FleetError("OVERLOADED", `${this.#options.fleet}: ${what}; ${fix}`, { data: { retryAfterMs: 1000 } });
  }
}
