/** Calls in flight at the same time on all instances of a fleet. */
export class PeakLoad {
  #inFlight = 0;
  #peak = 0;

  began(): void {
    this.#inFlight += 1;
    if (this.#inFlight > this.#peak) this.#peak = this.#inFlight;
  }

  ended(): void {
    this.#inFlight -= 1;
  }

  /** The most since it was last asked. */
  take(): number {
    const peak = this.#peak;
    this.#peak = this.#inFlight;
    return peak;
  }
}
