import type { Candidate, LoadBalancingStrategy } from "./strategy.ts";

/** Each in turn. */
export class RoundRobin implements LoadBalancingStrategy {
  #turn = 0;

  pick<T extends Candidate>(candidates: readonly T[]): T {
    this.#turn = (this.#turn + 1) % candidates.length;
    return candidates[this.#turn] as T;
  }
}
