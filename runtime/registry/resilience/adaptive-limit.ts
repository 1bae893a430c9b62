/** Answers between two changes of the limit. */
const sampleSize = 32;
/** Share of the newest sample in the long-term latency. */
const longShare = 0.05;
/** Answers may be so many times slower than in the long term before the limit goes down. */
const tolerance = 1.5;
/** The limit changes so far towards its new value at once. */
const smoothing = 0.3;

/**
 * Finds how many calls at a time a fleet answers without getting slower, by the gradient of its latency (Netflix
 * concurrency-limits, "Gradient2"): while answers take longer than usual, the limit shrinks by the same ratio; while
 * they do not and the limit is in use, it grows by its square root.
 */
export class AdaptiveLimit {
  readonly #min: number;
  readonly #max: number;
  #limit: number;
  #longMs: number | undefined;
  #sum = 0;
  #count = 0;
  #mostInFlight = 0;

  constructor(max: number) {
    this.#max = max;
    this.#min = Math.max(1, Math.ceil(max / 16));
    this.#limit = max;
  }

  get limit(): number {
    return Math.max(1, Math.floor(this.#limit));
  }

  /** A call was answered after so long, with so many in flight. */
  answered(ms: number, inFlight: number): void {
    this.#sum += ms;
    this.#count += 1;
    this.#mostInFlight = Math.max(this.#mostInFlight, inFlight);
    if (this.#count < sampleSize) return;
    const shortMs = this.#sum / this.#count;
    const used = this.#mostInFlight;
    this.#sum = 0;
    this.#count = 0;
    this.#mostInFlight = 0;
    this.#longMs = this.#longMs === undefined ? shortMs : this.#longMs + longShare * (shortMs - this.#longMs);
    // After a time of overload, usual is what was before it.
    if (this.#longMs > 2 * shortMs) this.#longMs *= 0.95;
    const gradient = Math.max(0.5, Math.min(1, (tolerance * this.#longMs) / shortMs));
    // A limit that nobody needs must not grow, or it would be no limit when it is needed.
    if (gradient === 1 && used < this.#limit / 2) return;
    const wanted = this.#limit * gradient + Math.sqrt(this.#limit);
    this.#limit += smoothing * (wanted - this.#limit);
    this.#limit = Math.max(this.#min, Math.min(this.#max, this.#limit));
  }
}
