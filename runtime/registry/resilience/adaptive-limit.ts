/** Answers between two changes of the limit. */
const sampleSize = 32;
/** Answers may take so many times as long as without load before the limit goes down. */
const tolerance = 2;
/** The limit changes so far towards its new value at once. */
const smoothing = 0.3;
/** The latency without load is forgotten so slowly, so that a server that has become slower for good is met anew. */
const forgetting = 1.002;

/**
 * Finds how many calls at a time a fleet answers without getting slower, by the gradient of its latency (Netflix
 * concurrency-limits, "Gradient"): while answers take longer than without load, the limit shrinks by the same ratio; while
 * they do not and the limit is in use, it grows by its square root.
 */
export class AdaptiveLimit {
  readonly #min: number;
  readonly #max: number;
  #limit: number;
  /** The lowest mean of a sample, slowly forgotten. */
  #unloadedMs = Number.POSITIVE_INFINITY;
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
    const meanMs = this.#sum / this.#count;
    const used = this.#mostInFlight;
    this.#sum = 0;
    this.#count = 0;
    this.#mostInFlight = 0;
    this.#unloadedMs = Math.min(this.#unloadedMs * forgetting, meanMs);
    const gradient = Math.max(0.5, Math.min(1, (tolerance * this.#unloadedMs) / meanMs));
    // A limit that nobody needs must not grow, or it would be none when it is needed.
    if (gradient === 1 && used < this.#limit / 2) return;
    const wanted = this.#limit * gradient + Math.sqrt(this.#limit);
    this.#limit += smoothing * (wanted - this.#limit);
    this.#limit = Math.max(this.#min, Math.min(this.#max, this.#limit));
  }
}
