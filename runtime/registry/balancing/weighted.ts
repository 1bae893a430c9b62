import type { Candidate, LoadBalancingStrategy } from "./strategy.ts";

/**
 * Smooth weighted round-robin (nginx, `ngx_http_upstream_round_robin.c`): exact shares without bursts. Each candidate
 * gains its weight; the richest one is taken and pays the sum.
 */
export class Weighted implements LoadBalancingStrategy {
  readonly #credit = new WeakMap<Candidate, number>();

  pick<T extends Candidate>(candidates: readonly T[]): T {
    let best = candidates[0] as T;
    let most = Number.NEGATIVE_INFINITY;
    let sum = 0;
    for (const candidate of candidates) {
      const credit = (this.#credit.get(candidate) ?? 0) + candidate.weight;
      this.#credit.set(candidate, credit);
      sum += candidate.weight;
      if (credit > most) {
        most = credit;
        best = candidate;
      }
    }
    this.#credit.set(best, most - sum);
    return best;
  }
}
