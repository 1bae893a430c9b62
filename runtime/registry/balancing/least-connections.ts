import type { Candidate, LoadBalancingStrategy } from "./strategy.ts";

/** Two different candidates by chance; the power of two choices (Mitzenmacher 2001) needs no look at all of them. */
export function twoOf<T>(candidates: readonly T[], random: () => number): readonly [T, T] {
  const { length } = candidates;
  const first = Math.floor(random() * length);
  const second = (first + 1 + Math.floor(random() * (length - 1))) % length;
  return [candidates[first] as T, candidates[second] as T];
}

/** Of two chosen by chance, the one with fewer calls in flight for its weight; of all, the one with the fewest sessions. */
export class LeastConnections implements LoadBalancingStrategy {
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  pick<T extends Candidate>(candidates: readonly T[]): T {
    const [one, other] = twoOf(candidates, this.#random);
    // The call itself counts, so that weights matter among idle instances too.
    return (one.inFlight + 1) * other.weight <= (other.inFlight + 1) * one.weight ? one : other;
  }

  /** Sessions stay and are few, so that a look at all of them pays. Of equals, chance decides. */
  place<T extends Candidate>(candidates: readonly T[]): T {
    const { length } = candidates;
    const first = Math.floor(this.#random() * length);
    let found = candidates[first] as T;
    for (let step = 1; step < length; step += 1) {
      const candidate = candidates[(first + step) % length] as T;
      if (sessionsOf(candidate) * found.weight < sessionsOf(found) * candidate.weight) found = candidate;
    }
    return found;
  }
}

/** With the one to come. */
const sessionsOf = ({ sessions = 0 }: Candidate): number => sessions + 1;
