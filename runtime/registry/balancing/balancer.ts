import type { Backend } from "../backend.ts";
import { stickyPick } from "./sticky.ts";
import type { LoadBalancingStrategy } from "./strategy.ts";

export interface BalancerOptions {
  readonly strategy: LoadBalancingStrategy;
  /** The same owner goes to the same instance while that is healthy. */
  readonly stickySession: boolean;
  /** Where this gateway is: instances there are preferred. */
  readonly zone: string | undefined;
  /** An instance that has come up takes its full share only after so long. */
  readonly slowStartMs: number;
  readonly now: () => number;
  readonly random: () => number;
}

/** Least share of an instance that has just come up. */
const firstShare = 0.1;

/**
 * Which instance takes the next call: of those that are ready, whose circuit lets calls through and that are healthy,
 * near before far, by the fleet's strategy. What depends on no call is worked out when something changes.
 */
export class Balancer {
  readonly #options: BalancerOptions;
  #eligible: readonly Backend[] = [];
  #warming = false;
  #blocked = false;

  constructor(options: BalancerOptions) {
    this.#options = options;
  }

  /** All that are ready are kept from their calls by open circuits. */
  get blocked(): boolean {
    return this.#blocked;
  }

  get eligible(): readonly Backend[] {
    return this.#eligible;
  }

  /** Something of the instances has changed, or some time has passed. */
  update(backends: readonly Backend[]): void {
    const { zone, slowStartMs, now } = this.#options;
    const ready = backends.filter(({ ready, draining }) => ready && !draining);
    const closed = ready.filter(({ circuit }) => circuit?.admits() ?? true);
    this.#blocked = ready.length > 0 && closed.length === 0;
    const healthy = closed.filter((backend) => backend.healthy);
    // All of them unhealthy says more about the checks, or the network here, than about the instances.
    const usable = healthy.length > 0 ? healthy : closed;
    this.#eligible = zone === undefined ? usable : near(usable, backends, zone);
    const warm = this.#eligible.filter(({ readySince }) => now() - readySince >= slowStartMs).length;
    this.#warming = warm > 0 && warm < this.#eligible.length;
  }

  /** An instance for a call of this owner, if possible none of those where it has failed; undefined when none is there. */
  pick(owner: string, avoid?: ReadonlySet<object>): Backend | undefined {
    const candidates = without(this.#eligible, avoid);
    if (candidates.length <= 1) return candidates[0];
    if (this.#options.stickySession) return stickyPick(candidates, owner);
    const picked = this.#options.strategy.pick(candidates, owner);
    return this.#warming && this.#tooCold(picked) ? this.#options.strategy.pick(candidates, owner) : picked;
  }

  /** The same for a session, which goes where there is room for it. The strategy is asked once, since each pick is a turn. */
  place(owner: string, avoid?: ReadonlySet<object>): Backend | undefined {
    const { strategy, stickySession } = this.#options;
    const free = this.#eligible.filter(({ room }) => !room.full);
    let candidates = without(free.length > 0 ? free : this.#eligible, avoid);
    if (stickySession && candidates.length > 1) return stickyPick(candidates, owner);
    if (this.#warming && candidates.length > 1) {
      const warm = candidates.filter((backend) => !this.#tooCold(backend));
      if (warm.length > 0) candidates = warm;
    }
    if (candidates.length <= 1) return candidates[0];
    return strategy.place?.(candidates, owner) ?? strategy.pick(candidates, owner);
  }

  #tooCold({ readySince }: Backend): boolean {
    const { now, random, slowStartMs } = this.#options;
    return random() > Math.max(firstShare, (now() - readySince) / slowStartMs);
  }
}

/** Those that are not avoided, if there are any. */
function without(backends: readonly Backend[], avoid: ReadonlySet<object> | undefined): readonly Backend[] {
  if (avoid === undefined) return backends;
  const others = backends.filter((backend) => !avoid.has(backend));
  return others.length > 0 ? others : backends;
}

/** Those of the same zone while at least half of its instances are usable; the rest could not carry the zone's load. */
function near(usable: readonly Backend[], all: readonly Backend[], zone: string): readonly Backend[] {
  const here = usable.filter((backend) => backend.zone === zone);
  const expected = all.filter((backend) => backend.zone === zone && !backend.draining).length;
  return here.length > 0 && here.length * 2 >= expected ? here : usable;
}
