/**
 * What a server owes to its calls and whether it says anything, which tells a busy server from a dead one. A server that
 * works on one call can leave everything else unanswered for as long as that call may take.
 */
export class LifeSigns {
  /** Has it ever answered a health check? A server that never does is not judged by silence alone. */
  answersChecks = false;
  /** Messages so far, of whatever kind. */
  messages = 0;
  #noticed = 0;
  #silentSince: number | undefined;
  #lapsedAt: number | undefined;
  /** Calls in flight from before the silence lapsed. */
  #protected = 0;

  /** Since when it has owed an answer without saying anything; undefined when it owes none. */
  get silentSince(): number | undefined {
    return this.#silentSince;
  }

  /** A call goes out. */
  began(at: number): void {
    this.#silentSince ??= at;
  }

  /** A call that was sent at this time has ended, one way or another. */
  ended(began: number): void {
    if (this.#lapsedAt !== undefined && began <= this.#lapsedAt) this.#protected -= 1;
  }

  /** It has said something while this many calls are in flight. */
  spoke(at: number, inFlight: number): void {
    this.#noticed = this.messages;
    this.#silentSince = inFlight > 0 ? at : undefined;
    this.#lapsedAt = undefined;
  }

  /** Looks whether messages have come. They are only counted when they come, because reading a clock costs more. */
  notice(at: number, inFlight: number): void {
    if (this.messages !== this.#noticed) this.spoke(at, inFlight);
  }

  /**
   * Has it been silent past every deadline? The first call that it owes an answer gets `requestMs`, and so does each call
   * that was in flight by then. Later calls do not count, or a steady load would keep a dead server for ever.
   */
  isDead(now: number, requestMs: number, inFlight: number): boolean {
    if (this.#silentSince === undefined) return true;
    if (this.#lapsedAt === undefined) {
      if (now - this.#silentSince < requestMs) return false;
      this.#lapsedAt = now;
      this.#protected = inFlight;
    }
    return this.#protected === 0;
  }
}
