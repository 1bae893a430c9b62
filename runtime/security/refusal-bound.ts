/** Length of a window. */
export const refusalWindowMs = 60_000;
/** What one address may have of a window: others must be seen beside a flood from it. The key may be a caller as well. */
const addressShare = 0.1;

/** Which refusals of one minute are noted: so many in all, a tenth of them from one address. The others are counted. */
export class RefusalBound {
  readonly #max: number;
  readonly #maxPerAddress: number;
  readonly #clock: () => number;
  /** Of the addresses that were noted in this window, so never more than `max` of them. */
  readonly #noted = new Map<string, number>();
  #total = 0;
  #until = 0;
  #leftOut = 0;

  /** `clock`: milliseconds since the epoch. */
  constructor(max: number, clock: () => number) {
    this.#max = max;
    this.#maxPerAddress = Math.ceil(max * addressShare);
    this.#clock = clock;
  }

  /** May this one be noted? */
  take(address: string): boolean {
    const now = this.#clock();
    if (now >= this.#until) {
      this.#until = now + refusalWindowMs;
      this.#total = 0;
      this.#noted.clear();
    }
    const before = this.#noted.get(address) ?? 0;
    if (this.#total >= this.#max || before >= this.#maxPerAddress) {
      this.#leftOut += 1;
      return false;
    }
    this.#total += 1;
    this.#noted.set(address, before + 1);
    return true;
  }

  /** How many were left out since this was asked last. */
  leftOut(): number {
    const count = this.#leftOut;
    this.#leftOut = 0;
    return count;
  }
}
