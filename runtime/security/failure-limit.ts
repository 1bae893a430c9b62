import { LRUCache } from "lru-cache";
import { FleetError } from "../errors.ts";

const windowMs = 60_000;
/** Addresses with failures that are remembered; the one that failed longest ago is forgotten first. */
const maxAddresses = 50_000;

/** Slows down who tries credentials: so many failures a minute from one address, then 429 without a look. */
export class FailureLimit {
  readonly #max: number;
  readonly #clock: () => number;
  readonly #counts = new LRUCache<string, { count: number; until: number }>({ max: maxAddresses });

  /** `clock`: milliseconds since the epoch. */
  constructor(max: number, clock: () => number) {
    this.#max = max;
    this.#clock = clock;
  }

  /** Throws RATE_LIMITED. */
  check(address: string): void {
    const seen = this.#counts.get(address);
    if (seen === undefined || seen.count < this.#max) return;
    const leftMs = seen.until - this.#clock();
    if (leftMs <= 0) {
      this.#counts.delete(address);
      return;
    }
    throw new FleetError("RATE_LIMITED", "Too many requests: too many wrong credentials came from this address", {
      data: { retryAfterMs: leftMs },
      headers: { "retry-after": String(Math.ceil(leftMs / 1000)) },
    });
  }

  failed(address: string): void {
    const now = this.#clock();
    const seen = this.#counts.get(address);
    if (seen === undefined || now >= seen.until) this.#counts.set(address, { count: 1, until: now + windowMs });
    else seen.count += 1;
  }
}
