import { LRUCache } from "lru-cache";
import { FleetError } from "../errors.ts";

const windowMs = 60_000;
/** Networks with failures that are remembered; the one that failed longest ago is forgotten first. */
const maxNetworks = 50_000;
/** Networks that are held off. Kept apart, so that failures from many others do not push them out. */
const maxBlocked = 10_000;

/** Failures that were seen elsewhere: by the other workers of this gateway, or by all that share a Redis. */
export interface FailureShare {
  /** One more failure. Resolves with their number in the window where somebody counts them all, else with undefined. */
  tell(network: string): Promise<number | undefined>;
  /** `heard` is called with each failure that another process tells. */
  listen(heard: (network: string) => void): void;
}

interface Count {
  count: number;
  until: number;
}

/** The network of the gateway itself, which looks again at credentials that it has let in: no failure there is anybody's try. */
export const ownNetwork = "";

/**
 * Holds a network (see `networkOf`) off that tries credentials: so many failures a minute, then 429 without a look. A check that takes a
 * while counts from its beginning: `WaitingRoom` lets no more of them run than `left` says.
 */
export class FailureLimit {
  readonly #max: number;
  readonly #clock: () => number;
  readonly #share: FailureShare | undefined;
  readonly #counts = new LRUCache<string, Count>({ max: maxNetworks });
  readonly #blocked = new LRUCache<string, Count>({ max: maxBlocked });

  /** `clock`: milliseconds since the epoch. */
  constructor(max: number, clock: () => number, share?: FailureShare) {
    this.#max = max;
    this.#clock = clock;
    this.#share = share;
    share?.listen((network) => void this.#add(network));
  }

  /** Networks that are remembered, and their bound. */
  get size(): number {
    return this.#counts.size + this.#blocked.size;
  }

  get bound(): number {
    return maxNetworks + maxBlocked;
  }

  /** Throws RATE_LIMITED. */
  check(network: string): void {
    const seen = this.#blocked.get(network);
    if (seen === undefined) return;
    const leftMs = seen.until - this.#clock();
    if (leftMs <= 0) {
      this.#blocked.delete(network);
      return;
    }
    throw new FleetError("RATE_LIMITED", "Too many requests: too many wrong credentials came from this address", {
      data: { retryAfterMs: leftMs },
      headers: { "retry-after": String(Math.ceil(leftMs / 1000)) },
    });
  }

  /** How many more checks may fail. */
  left(network: string): number {
    return this.#max - (this.#blocked.has(network) ? this.#max : (this.#alive(network)?.count ?? 0));
  }

  failed(network: string): void {
    if (network === ownNetwork) return;
    const entry = this.#add(network);
    // Other gateways may have seen more of it.
    void this.#share?.tell(network).then((total) => {
      if (total === undefined || total <= entry.count) return;
      entry.count = total;
      this.#settle(network, entry);
    });
  }

  #add(network: string): Count {
    const entry = this.#blocked.get(network) ?? this.#alive(network) ?? { count: 0, until: this.#clock() + windowMs };
    entry.count += 1;
    this.#settle(network, entry);
    return entry;
  }

  #settle(network: string, entry: Count): void {
    if (entry.count < this.#max) {
      this.#counts.set(network, entry);
      return;
    }
    this.#counts.delete(network);
    this.#blocked.set(network, entry);
  }

  #alive(network: string): Count | undefined {
    const seen = this.#counts.get(network);
    return seen !== undefined && this.#clock() < seen.until ? seen : undefined;
  }
}
