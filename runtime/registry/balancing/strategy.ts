/** CPU and memory in use where an instance runs, 0 to 1 of what it may use. */
export interface HostLoad {
  readonly cpu: number;
  readonly memory: number;
}

/** What a strategy may know of an instance. */
export interface Candidate {
  readonly id: string;
  /** URL of an instance that something else runs; of a process what runs it. */
  readonly address: string;
  readonly zone: string | undefined;
  /** Share of the calls in relation to the other instances. Defaults to 1. */
  readonly weight: number;
  readonly inFlight: number;
  /** Sessions that owners have to themselves on it, with a call in flight or not. Defaults to none. */
  readonly sessions?: number;
  /** Smoothed duration of its calls in milliseconds; undefined before the first. */
  readonly latencyMs: number | undefined;
  /** Smoothed; undefined when the instance reports none. */
  readonly load: HostLoad | undefined;
}

/** Chooses the instance of one call. Called with at least two candidates, all of them ready and healthy. */
export interface LoadBalancingStrategy {
  pick<T extends Candidate>(candidates: readonly T[], owner: string): T;
  /** The same for a session that one owner has to itself and that stays where it is. Defaults to `pick`. */
  place?<T extends Candidate>(candidates: readonly T[], owner: string): T;
}

/** Makes the strategy of one fleet; `random` gives numbers from 0 up to 1. */
export type StrategyFactory = (random: () => number) => LoadBalancingStrategy;
