import type { Instance } from "./instance.ts";

/** Share of `targetInFlight` to which fewer instances can be filled: at its edge, each call more or less would start or end one. */
const fillable = 0.9;

export interface ScaleDownOptions {
  readonly targetInFlight: number;
  readonly minInstances: number;
  /** How long the load must have fitted into fewer instances. */
  readonly idleMs: number;
  readonly now: () => number;
}

/**
 * How many instances of a fleet are too many: those that the load of the last `idleMs` did not need. A load that comes back
 * within that time keeps what it will need again.
 */
export class ScaleDown {
  readonly #options: ScaleDownOptions;
  /** Since when there have been more than the load needs, and the most that it has needed since. */
  #since: number;
  #needed = 0;

  constructor(options: ScaleDownOptions) {
    this.#options = options;
    this.#since = options.now();
  }

  /** Counts the time from now on. */
  restart(): void {
    this.#since = this.#options.now();
    this.#needed = 0;
  }

  /** Is one of `count` instances too many? `peak`: the most calls at once since the last look; `busy`: instances that what they use needs. */
  surplus(count: number, peak: number, busy = 0): boolean {
    const { now, idleMs } = this.#options;
    this.#needed = Math.max(this.#needed, this.#neededFor(peak), busy);
    if (this.#needed >= count) this.restart();
    return this.#needed < count && now() - this.#since > idleMs;
  }

  #neededFor(peak: number): number {
    const { targetInFlight, minInstances } = this.#options;
    // One call after the other needs one instance, whatever the target.
    const needed = peak <= 1 ? peak : Math.ceil(peak / (targetInFlight * fillable));
    return Math.max(minInstances, needed);
  }
}

/** Which one goes: one that serves nobody, else the one with the fewest calls in flight; of equals the youngest. */
export function leastUsed(instances: readonly Instance[]): Instance | undefined {
  let found: Instance | undefined;
  for (const instance of instances) {
    if (found === undefined || weightOf(instance) <= weightOf(found)) found = instance;
  }
  return found;
}

const weightOf = ({ backend }: Instance): number => (backend.usable ? backend.inFlight : -1);
