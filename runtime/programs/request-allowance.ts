import { FleetError } from "../errors.ts";

/** How many requests may be made within a window of time; windows follow one another. */
export class RequestAllowance {
  readonly #windowMs: number;
  readonly #maxRequests: number;
  readonly #now: () => number;
  #since = Number.NEGATIVE_INFINITY;
  #count = 0;

  constructor(windowMs: number, maxRequests: number, now: () => number) {
    this.#windowMs = windowMs;
    this.#maxRequests = maxRequests;
    this.#now = now;
  }

  /** Counts one request. Throws RATE_LIMITED, which may be retried when the window is over. */
  take(server: string): void {
    const time = this.#now();
    if (time - this.#since >= this.#windowMs) {
      this.#since = time;
      this.#count = 0;
    }
    if (this.#count >= this.#maxRequests) {
      const waitMs = Math.ceil(this.#since + this.#windowMs - time);
      const text = `${server}: ${this.#maxRequests} requests in ${this.#windowMs} ms are made; call again in ${waitMs} ms`;
      throw new FleetError("RATE_LIMITED", text, { data: { retryAfterMs: waitMs } });
    }
    this.#count += 1;
  }
}
