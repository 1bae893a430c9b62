import type { Candidate, LoadBalancingStrategy } from "./strategy.ts";

/** Two different candidates by chance; the power of two choices (Mitzenmacher 2001) needs no look at all of them. */
export function twoOf<T>(candidates: readonly T[], random: () => number): readonly [T, T] {
  const { length } = candidates;
  const first = Math.floor(random() * length);
  const second = (first + 1 + Math.floor(random() * (length - 1))) % length;
  return [candidates[first] as T, candidates[second] as T];
}

/**
 * Of two chosen by chance, the one with fewer calls in flight for its weight. Where owners have sessions to themselves, the
 * one with fewer sessions: they stay, and the calls of an instance at one moment say little of those to come.
 */
export class LeastConnections implements LoadBalancingStrategy {
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  pick<T extends Candidate>(candidates: readonly T[]): T {
    const [one, other] = twoOf(candidates, this.#random);
    const { sessions = 0 } = one;
    const { sessions: others = 0 } = other;
    if (sessions + others > 0) {
      const more = (sessions + 1) * other.weight - (others + 1) * one.weight;
      if (more !== 0) return more < 0 ? one : other;
    }
    // The call itself counts, so that weights matter among idle instances too.
    return (one.inFlight + 1) * other.weight <= (other.inFlight + 1) * one.weight ? one : other;
  }
}
