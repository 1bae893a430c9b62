/** How long a call may take. Both are milliseconds. */
export interface ProgressBounds {
  /** Since its beginning, or since its latest progress. */
  readonly requestMs: number;
  /** Since its beginning, however much progress it makes. */
  readonly maxRequestMs: number;
}

/** The deadline of one call that each progress of its server moves, up to a bound. One for all attempts of the call. */
export class ProgressDeadline {
  readonly bounds: ProgressBounds;
  readonly #now: () => number;
  readonly #last: number;
  #at: number;

  /** `began` is a time of `now`, which is a monotonic clock in milliseconds. */
  constructor(bounds: ProgressBounds, began: number, now: () => number) {
    this.bounds = bounds;
    this.#now = now;
    this.#at = began + bounds.requestMs;
    this.#last = Math.max(began + bounds.maxRequestMs, this.#at);
  }

  get at(): number {
    return this.#at;
  }

  /** The server has made progress. */
  progressed(): void {
    this.#at = Math.min(this.#now() + this.bounds.requestMs, this.#last);
  }

  /** What is left of the call's time; 0 when it is up. */
  leftMs(): number {
    return Math.max(Math.ceil(this.#at - this.#now()), 0);
  }

  /** No progress moves it any further. */
  get isLast(): boolean {
    return this.#at >= this.#last;
  }
}
