/** An instance that has refused a session, and says nothing of its places, is asked again after this time. */
const askAgainMs = 1000;

/** The sessions that owners have to themselves on one instance, and how many more it takes, as far as that is known. */
export class SessionRoom {
  #sessions = 0;
  /** Free places as it last told, and how many sessions of this gateway it had then. */
  #free = Number.POSITIVE_INFINITY;
  #then = 0;
  /** When it last refused a session, if it has told nothing since. */
  #refusedAt: number | undefined;

  get sessions(): number {
    return this.#sessions;
  }

  /** It has no place for another session. What this gateway has opened and ended since it told is counted. */
  get full(): boolean {
    return this.#free + this.#then - this.#sessions <= 0;
  }

  /** A session of an owner is opened here. */
  began(): void {
    this.#sessions += 1;
  }

  ended(): void {
    this.#sessions -= 1;
  }

  /**
   * It has told how many places are free. `asked`: sessions of this gateway when it was asked; of those that came or went
   * since, the report can count each or not. To be refused costs less than to leave a place unused.
   */
  told(free: number, asked: number): void {
    this.#free = free;
    this.#then = Math.max(asked, this.#sessions);
    this.#refusedAt = undefined;
  }

  /** It had no place for a session, which is still counted and goes. */
  refused(at: number): void {
    this.#free = 0;
    this.#then = this.#sessions - 1;
    this.#refusedAt = at;
  }

  /** Some time has passed: what only a refusal said is no longer true. */
  tend(now: number): void {
    if (this.#refusedAt !== undefined && now - this.#refusedAt >= askAgainMs) this.forget();
  }

  /** What is known may be wrong: the next session finds out. */
  forget(): void {
    this.#refusedAt = undefined;
    this.#free = Number.POSITIVE_INFINITY;
  }
}
