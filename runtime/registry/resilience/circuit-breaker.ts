import { CircuitState, SamplingBreaker } from "cockatiel";

export interface CircuitBreakerOptions {
  /** Opens when more than this share of the calls in a window fail, 1 to 99. */
  readonly errorPercent: number;
  /** A call that takes longer counts as slow; undefined when no call is too slow. */
  readonly slowCallMs: number | undefined;
  /** Opens when more than this share of the calls in a window are slow, 1 to 99. */
  readonly slowPercent: number;
  readonly windowMs: number;
  /** Fewer calls in a window say nothing. */
  readonly minimumCalls: number;
  /** How long it stays open before one call may try; doubled with each try that fails, up to a minute. */
  readonly openMs: number;
  readonly now: () => number;
  /** Called after each change of state. */
  readonly onChange: (breaker: CircuitBreaker) => void;
}

export type CircuitStateName = "closed" | "open" | "half-open";

const longestOpenMs = 60_000;

/**
 * Closed, open, half-open for one instance or one fleet. Cockatiel's breakers count and judge; they are told the outcome of
 * each call instead of being wrapped around it, so that nobody waits for a trial and a call costs no promise. When it may
 * be tried is decided here, by the gateway's own clock. One trial at a time.
 */
export class CircuitBreaker {
  readonly #options: CircuitBreakerOptions;
  #errors: SamplingBreaker;
  #slow: SamplingBreaker | undefined;
  #openedAt = 0;
  #openMs: number;
  #trial = false;
  #state: CircuitStateName = "closed";
  #reason: string | undefined;

  constructor(options: CircuitBreakerOptions) {
    this.#options = options;
    this.#openMs = options.openMs;
    this.#errors = this.#errorBreaker();
    this.#slow = this.#slowBreaker();
  }

  get state(): CircuitStateName {
    return this.#state;
  }

  /** Why it is not closed. */
  get reason(): string | undefined {
    return this.#reason;
  }

  /** Milliseconds until a call may try again; 0 when one may now. */
  get retryAfterMs(): number {
    return this.#state === "closed" ? 0 : Math.max(0, Math.ceil(this.#openedAt + this.#openMs - this.#options.now()));
  }

  /** May a call go through? In half-open only one at a time. */
  admits(): boolean {
    return this.#state === "closed" || (!this.#trial && this.retryAfterMs === 0);
  }

  /** What it protects has been replaced: closes it and forgets what was counted. */
  reset(): void {
    this.#errors = this.#errorBreaker();
    this.#slow = this.#slowBreaker();
    this.#trial = false;
    this.#close();
  }

  /** A call goes through. True when it is the trial, which must be reported as such. */
  begin(): boolean {
    if (this.#state === "closed") return false;
    this.#trial = true;
    this.#set("half-open");
    return true;
  }

  /**
   * A call has ended; `failed` is undefined when its end says nothing, as when its client has cancelled it. What was under
   * way when the circuit opened is not counted any more.
   */
  record(failed: boolean | undefined, ms: number, trial: boolean): void {
    const { slowCallMs } = this.#options;
    const slow = slowCallMs !== undefined && ms > slowCallMs;
    if (trial) this.#tried(failed === undefined ? undefined : failed || slow);
    else if (failed !== undefined && this.#state === "closed") this.#count(failed, slow);
  }

  #count(failed: boolean, slow: boolean): void {
    const { errorPercent, slowPercent, slowCallMs } = this.#options;
    if (judge(this.#errors, failed)) this.#open(`more than ${errorPercent} % of its calls failed`);
    if (this.#slow !== undefined && judge(this.#slow, slow)) {
      this.#open(`more than ${slowPercent} % of its calls took over ${slowCallMs} ms`);
    }
  }

  #tried(failed: boolean | undefined): void {
    this.#trial = false;
    if (failed === undefined) this.#set("open");
    else if (failed) this.#open(this.#reason);
    else {
      // Counts from the beginning, which was the trial.
      this.#errors.success(CircuitState.HalfOpen);
      this.#slow?.success(CircuitState.HalfOpen);
      this.#close();
    }
  }

  #errorBreaker(): SamplingBreaker {
    return this.#breaker(this.#options.errorPercent);
  }

  #slowBreaker(): SamplingBreaker | undefined {
    const { slowCallMs, slowPercent } = this.#options;
    return slowCallMs === undefined ? undefined : this.#breaker(slowPercent);
  }

  #breaker(percent: number): SamplingBreaker {
    const { windowMs, minimumCalls } = this.#options;
    return new SamplingBreaker({
      threshold: percent / 100,
      duration: windowMs,
      minimumRps: (minimumCalls * 1000) / windowMs,
    });
  }

  #close(): void {
    this.#openMs = this.#options.openMs;
    this.#reason = undefined;
    this.#set("closed");
  }

  #open(reason: string | undefined): void {
    if (this.#state === "open") return;
    this.#openMs = this.#state === "half-open" ? Math.min(2 * this.#openMs, longestOpenMs) : this.#options.openMs;
    this.#openedAt = this.#options.now();
    this.#reason = reason;
    this.#set("open");
  }

  #set(state: CircuitStateName): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#options.onChange(this);
  }
}

/** Counts one outcome; true when the circuit is to open. */
function judge(breaker: SamplingBreaker, failed: boolean): boolean {
  if (failed) return breaker.failure(CircuitState.Closed);
  breaker.success(CircuitState.Closed);
  return false;
}
