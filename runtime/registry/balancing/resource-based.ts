import { twoOf } from "./least-connections.ts";
import type { Candidate, LoadBalancingStrategy } from "./strategy.ts";

/** An instance that reports no load is taken to be half busy, so that it is neither flooded nor starved. */
const unknownLoad = 0.5;
/** How much a call in flight, or a session, adds to the last report, which is some seconds old. */
const loadPerCall = 0.01;

/**
 * Of two chosen by chance, the one whose host is less busy: the larger of CPU and memory in use, since either one alone
 * makes an instance slow. Two choices by chance keep gateways with the same reports from all running to the same one.
 */
export class ResourceBased implements LoadBalancingStrategy {
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  pick<T extends Candidate>(candidates: readonly T[]): T {
    const [one, other] = twoOf(candidates, this.#random);
    return busy(one) * other.weight <= busy(other) * one.weight ? one : other;
  }
}

function busy({ load, inFlight, sessions = 0 }: Candidate): number {
  return (load === undefined ? unknownLoad : Math.max(load.cpu, load.memory)) + (inFlight + sessions + 1) * loadPerCall;
}
