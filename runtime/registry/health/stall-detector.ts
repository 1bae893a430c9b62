import type { Backend } from "../backend.ts";

export interface StallDetectorOptions {
  readonly requestMs: number;
  /** As configured; undefined when it is learnt. */
  readonly attemptMs: number | undefined;
  /** Do owners lose what an instance keeps for them when their calls leave it? */
  readonly stateful: boolean;
  readonly backends: () => readonly Backend[];
  readonly now: () => number;
  /** Checks an instance at once; undefined when there are no checks. */
  readonly suspect: ((backend: Backend) => void) | undefined;
  /** Leaves an instance out for a while; undefined when none is ever left out. */
  readonly eject: ((backend: Backend, reason: string) => void) | undefined;
}

/** An attempt has at most this share of a call's time, so that others have some left. */
const attemptShare = 0.25;
/** The same while its instance answers pings and moving the call would cost its owner what the instance keeps. */
const statefulShare = 0.75;
/** An attempt may take this many times as long as calls usually do. */
const timesUsual = 10;
/** Shorter pauses say nothing: collections of garbage, machines that are busy. */
const leastMs = 1000;
/** Tools whose usual time is remembered. */
const maxSlow = 256;
/** Share of the newest call in a slow tool's usual time. */
const newShare = 0.3;

/**
 * Finds instances that hang while calls wait for them: an instance that owes answers and says nothing for much longer than
 * calls usually take, not even to a ping, is left out, and its calls that may be repeated are sent to another one too. So
 * is a call that waits for longer than an attempt may take, whatever else its instance says.
 */
export class StallDetector {
  readonly #options: StallDetectorOptions;
  /** Since when an instance that was checked for its silence had been silent. */
  readonly #suspected = new WeakMap<Backend, number>();
  /** Usual time of calls that take longer than an attempt, by tool or method. */
  readonly #slow = new Map<string, number>();

  constructor(options: StallDetectorOptions) {
    this.#options = options;
  }

  /** How often it must look, so that what it finds still helps. */
  get everyMs(): number {
    return this.#longestMs / 4;
  }

  /** How long an instance may be silent that owes an answer. */
  get patienceMs(): number {
    const { attemptMs, stateful, backends } = this.#options;
    if (stateful || attemptMs !== undefined) return this.#longestMs;
    const usual = backends().flatMap(({ latencyMs }) => latencyMs ?? []);
    if (usual.length === 0) return this.#longestMs;
    return Math.min(this.#longestMs, Math.max(leastMs, timesUsual * Math.min(...usual)));
  }

  /** How long the opening of a session may take. */
  get openingMs(): number {
    const opened = this.#options.backends().flatMap(({ primary }) => primary.startupMs ?? []);
    return Math.max(this.patienceMs, timesUsual * Math.min(...opened));
  }

  /** A call that may be repeated was answered. */
  answered(subject: string, ms: number): void {
    if (ms < this.#longestMs / 4) return;
    const usual = this.#slow.get(subject);
    this.#slow.delete(subject);
    this.#slow.set(subject, usual === undefined ? ms : usual + newShare * (ms - usual));
    if (this.#slow.size <= maxSlow) return;
    for (const oldest of this.#slow.keys()) {
      this.#slow.delete(oldest);
      return;
    }
  }

  tick(): void {
    const { backends, now } = this.#options;
    const all = backends();
    if (all.length < 2) return;
    const at = now();
    const patienceMs = this.patienceMs;
    for (const backend of all) {
      backend.moveCalls();
      this.#silence(backend, at, patienceMs);
      this.#overdue(backend, at);
    }
  }

  #silence(backend: Backend, at: number, patienceMs: number): void {
    const { suspect, eject } = this.#options;
    const { silentSince } = backend.signs;
    if (!backend.ready || silentSince === undefined) return;
    const silentMs = at - silentSince;
    if (silentMs < patienceMs / 2) return;
    if (suspect !== undefined && this.#suspected.get(backend) !== silentSince) {
      this.#suspected.set(backend, silentSince);
      suspect(backend);
      return;
    }
    if (silentMs < patienceMs) return;
    eject?.(backend, `no answer for ${Math.round(silentMs)} ms`);
    for (const attempt of backend.movable) if (at - attempt.began >= patienceMs / 2) attempt.move();
  }

  #overdue(backend: Backend, at: number): void {
    const { attemptMs, requestMs, stateful, eject } = this.#options;
    const longestMs = stateful && attemptMs === undefined ? requestMs * statefulShare : this.#longestMs;
    for (const attempt of backend.movable) {
      const ms = at - attempt.began;
      if (ms < longestMs) return;
      const usual = attemptMs === undefined ? (this.#slow.get(attempt.subject) ?? 0) : 0;
      if (ms < 2 * usual || !attempt.move()) continue;
      const silent = backend.answeredAt < attempt.began;
      if (silent && !stateful) eject?.(backend, `it answers pings, and no call for ${Math.round(ms)} ms`);
      else backend.failuresInARow += 1;
    }
  }

  get #longestMs(): number {
    const { attemptMs, requestMs } = this.#options;
    return attemptMs ?? requestMs * attemptShare;
  }
}
