/** Lines that are missing in a file, until a line there says so. */
export class AuditGap {
  readonly #clock: () => number;
  #lost = 0;
  #from = 0;
  #to = 0;
  #told = 0;

  /** `clock`: milliseconds since the epoch. */
  constructor(clock: () => number) {
    this.#clock = clock;
  }

  lost(): void {
    this.#to = this.#clock();
    if (this.#lost === 0) this.#from = this.#to;
    this.#lost += 1;
  }

  /** The line that tells of them; undefined when none is missing. */
  text(): string | undefined {
    if (this.#lost === 0) return undefined;
    this.#told = this.#lost;
    const [time, from, to] = [this.#clock(), this.#from, this.#to].map((ms) => new Date(ms).toISOString());
    return `${JSON.stringify({ time, event: "gap", lost: this.#lost, from, to })}\n`;
  }

  /** That line has been written. */
  told(): void {
    this.#lost -= this.#told;
    this.#told = 0;
    this.#from = this.#to;
  }
}
