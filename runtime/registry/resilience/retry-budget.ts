/** Over so long calls and retries are counted, in so many parts. */
const windowMs = 10_000;
const parts = 10;
/** Retries in a window that are allowed whatever the calls: a quiet server must not be without any. */
const always = 10;

/**
 * How many calls may be repeated: a share of all calls of the last ten seconds, so that retries cannot multiply the load
 * of servers that are in trouble (Google SRE Book, "Handling Overload").
 */
export class RetryBudget {
  readonly #percent: number;
  readonly #now: () => number;
  readonly #calls = new Uint32Array(parts);
  readonly #retries = new Uint32Array(parts);
  #part = 0;

  constructor(percent: number, now: () => number) {
    this.#percent = percent;
    this.#now = now;
  }

  /** Counts one call. */
  called(): void {
    this.#move();
    this.#calls[this.#part % parts] = (this.#calls[this.#part % parts] as number) + 1;
  }

  /** May another call be repeated? Counts it when it may. */
  take(): boolean {
    this.#move();
    if (sum(this.#retries) >= always + (sum(this.#calls) * this.#percent) / 100) return false;
    this.#retries[this.#part % parts] = (this.#retries[this.#part % parts] as number) + 1;
    return true;
  }

  #move(): void {
    const now = Math.floor(this.#now() / (windowMs / parts));
    if (now === this.#part) return;
    const passed = Math.min(now - this.#part, parts);
    for (let step = 1; step <= passed; step += 1) {
      this.#calls[(now - passed + step) % parts] = 0;
      this.#retries[(now - passed + step) % parts] = 0;
    }
    this.#part = now;
  }
}

function sum(counts: Uint32Array): number {
  let total = 0;
  for (const count of counts) total += count;
  return total;
}
