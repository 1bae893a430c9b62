import { type CallInFlight, mayAsk } from "./client-requests.ts";

/** How long a server can go on with a call that was given up, in milliseconds. */
const afterwardsMs = 30_000;
/** Calls that are remembered; past it the oldest one is forgotten. */
const maxRemembered = 64;

interface Abandoned {
  readonly owner: string | undefined;
  readonly until: number;
}

/**
 * Calls on one connection that were given up (a deadline, a cancellation) while their server may still be at work: what it
 * says without naming a call can be theirs.
 */
export class AbandonedCalls {
  readonly #now: () => number;
  readonly #calls: Abandoned[] = [];

  /** `now` is a monotonic clock in milliseconds; defaults to that of the process. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  add({ method, exchange: { client } }: CallInFlight): void {
    if (!mayAsk(method)) return;
    this.#calls.push({ owner: client?.owner, until: this.#now() + afterwardsMs });
    if (this.#calls.length > maxRemembered) this.#calls.shift();
  }

  /** Can a call that somebody else gave up still be at work? A call without a client can be anybody's. */
  ofOthers(owner: string | undefined): boolean {
    if (this.#calls.length === 0) return false;
    const now = this.#now();
    while ((this.#calls[0]?.until ?? now + 1) <= now) this.#calls.shift();
    return this.#calls.some((call) => call.owner === undefined || call.owner !== owner);
  }
}
