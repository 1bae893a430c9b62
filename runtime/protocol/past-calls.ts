import { type CallInFlight, mayAsk } from "./client-requests.ts";
import type { Exchange } from "./exchange.ts";

/** How long a server can go on with a call that was given up, in milliseconds. */
const afterwardsMs = 30_000;
/** How long after its answer a call can still be spoken of, in milliseconds: servers write log lines late. */
const lateMs = 2000;
/** Calls given up that are remembered; past it the oldest one is forgotten. */
const maxRemembered = 64;

interface Abandoned {
  readonly owner: string | undefined;
  readonly until: number;
}

/**
 * Calls that a connection has carried, as far as their server may still speak of them: what it says without naming a call
 * can be about one that was given up while it is at work, or that has just been answered.
 */
export class PastCalls {
  readonly #now: () => number;
  readonly #abandoned: Abandoned[] = [];
  /** Who was answered last, and when; and when somebody else was. */
  #caller: string | undefined;
  #answeredAt = Number.NEGATIVE_INFINITY;
  #otherAt = Number.NEGATIVE_INFINITY;

  /** `now` is a monotonic clock in milliseconds; defaults to that of the process. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Nobody waits for the call any more, though its server may go on with it. */
  abandoned({ method, exchange: { client } }: CallInFlight): void {
    if (!mayAsk(method)) return;
    this.#abandoned.push({ owner: client?.owner, until: this.#now() + afterwardsMs });
    if (this.#abandoned.length > maxRemembered) this.#abandoned.shift();
  }

  answered({ method, exchange: { caller } }: CallInFlight): void {
    if (!mayAsk(method)) return;
    if (caller !== this.#caller) this.#otherAt = this.#answeredAt;
    this.#caller = caller;
    this.#answeredAt = this.#now();
  }

  /** Can a message that names no call be about somebody else's than this one's? */
  concernOthers({ client, caller }: Exchange): boolean {
    const now = this.#now();
    if (now - (caller === this.#caller ? this.#otherAt : this.#answeredAt) < lateMs) return true;
    this.#forget(now);
    return this.#abandoned.some(({ owner }) => owner === undefined || owner !== client?.owner);
  }

  /** Can a call that was given up still be at work? */
  get anyAbandoned(): boolean {
    this.#forget(this.#now());
    return this.#abandoned.length > 0;
  }

  #forget(now: number): void {
    while ((this.#abandoned[0]?.until ?? now + 1) <= now) this.#abandoned.shift();
  }
}
