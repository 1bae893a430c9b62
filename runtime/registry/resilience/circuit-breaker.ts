import { type CircuitBreakerPolicy, CircuitState, circuitBreaker, handleAll, SamplingBreaker } from "cockatiel";

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
const good = () => {};
const bad = () => Promise.reject(new Error("counted"));
const ignore = () => {};

/**
 * Closed, open, half-open for one instance or one fleet: cockatiel's breakers, told the outcome of each call instead of
 * being wrapped around it, so that nobody waits for a trial and a call costs no closure. One trial at a time.
 */
export class CircuitBreaker {
  readonly #options: CircuitBreakerOptions;
  #errors: CircuitBreakerPolicy;
  #slow: CircuitBreakerPolicy | undefined;
  #openedAt = 0;
  #openMs: number;
  #trial = false;
  #state: CircuitStateName = "closed";
  #reason: string | undefined;

  constructor(options: CircuitBreakerOptions) {
    this.#options = options;
    this.#openMs = options.openMs;
    this.#errors = this.#errorPolicy();
    this.#slow = this.#slowPolicy();
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
    this.#errors = this.#errorPolicy();
    this.#slow = this.#slowPolicy();
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
    else if (failed !== undefined && this.#state === "closed") {
      tell(this.#errors, failed);
      if (this.#slow !== undefined) tell(this.#slow, slow);
    }
  }

  #tried(failed: boolean | undefined): void {
    this.#trial = false;
    if (failed === undefined) this.#set("open");
    else for (const policy of [this.#errors, this.#slow]) if (policy?.state === CircuitState.Open) tell(policy, failed);
  }

  #errorPolicy(): CircuitBreakerPolicy {
    const { errorPercent } = this.#options;
    return this.#policy(errorPercent, `more than ${errorPercent} % of its calls failed`);
  }

  #slowPolicy(): CircuitBreakerPolicy | undefined {
    const { slowPercent, slowCallMs } = this.#options;
    if (slowCallMs === undefined) return undefined;
    return this.#policy(slowPercent, `more than ${slowPercent} % of its calls took over ${slowCallMs} ms`);
  }

  #policy(percent: number, reason: string): CircuitBreakerPolicy {
    const { windowMs, minimumCalls } = this.#options;
    const breaker = new SamplingBreaker({
      threshold: percent / 100,
      duration: windowMs,
      minimumRps: (minimumCalls * 1000) / windowMs,
    });
    // When it may be tried is decided here, by the gateway's own clock.
    const policy = circuitBreaker(handleAll, { halfOpenAfter: 0, breaker });
    policy.onStateChange((state) => {
      if (state === CircuitState.Open) this.#open(reason);
      if (state === CircuitState.Closed && this.#closed) this.#close();
    });
    return policy;
  }

  get #closed(): boolean {
    return (
      this.#errors.state === CircuitState.Closed && (this.#slow?.state ?? CircuitState.Closed) === CircuitState.Closed
    );
  }

  #close(): void {
    this.#openMs = this.#options.openMs;
    this.#reason = undefined;
    this.#set("closed");
  }

  #open(reason: string): void {
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

/** Lets a policy count one outcome; while it is open, that is the outcome of a trial. */
function tell(policy: CircuitBreakerPolicy, failure: boolean): void {
  policy.execute(failure ? bad : good).catch(ignore);
}
