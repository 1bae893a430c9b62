import type { Backend } from "./backend.ts";
import type { Balancer } from "./balancing/balancer.ts";
import type { Instance } from "./instance.ts";
import { anyReady, type InstanceLimits, type InstanceSource, type Placing } from "./instance-source.ts";
import { PeakLoad } from "./peak-load.ts";
import { circuitOpen } from "./resilience/fleet-circuit.ts";
import type { ResourceNeed } from "./resource-need.ts";
import { leastUsed, ScaleDown } from "./scale-down.ts";

/**
 * Isolation `shared` of local processes: all callers share all instances. Another one is started when each has
 * `targetInFlight` calls, or when they use more than their targets of processor or memory. When fewer could have taken the load of the last `idleMs`, one gets no new calls, and ends when it
 * has none in flight.
 */
export class SharedInstances implements InstanceSource {
  readonly waiting = 0;
  readonly kept = 0;
  readonly #fleet: string;
  readonly #limits: InstanceLimits;
  readonly #create: () => Instance;
  readonly #balancer: Balancer;
  readonly #load = new PeakLoad();
  readonly #scaleDown: ScaleDown;
  readonly #need: Pick<ResourceNeed, "of"> | undefined;
  #instances: Instance[] = [];
  /** Those of them that are too many, the first one first. */
  readonly #leaving = new Set<Instance>();
  #backends: readonly Backend[] = [];
  /** Calls that wait for the first instance. */
  #arriving = 0;

  constructor(
    fleet: string,
    limits: InstanceLimits,
    create: () => Instance,
    balancer: Balancer,
    now: () => number,
    need?: Pick<ResourceNeed, "of">,
  ) {
    this.#need = need;
    this.#fleet = fleet;
    this.#limits = limits;
    this.#create = create;
    this.#balancer = balancer;
    this.#scaleDown = new ScaleDown({ ...limits, now });
    while (this.#instances.length < limits.minInstances) this.#add();
  }

  get instances(): readonly Instance[] {
    return this.#instances;
  }

  get backends(): readonly Backend[] {
    return this.#backends;
  }

  pick(owner: string, { avoid }: Placing): Instance | undefined {
    const backend = this.#balancer.pick(owner, avoid);
    if (backend === undefined) return undefined;
    if (backend.inFlight >= this.#limits.targetInFlight) this.#grow();
    return backend.primary;
  }

  async acquire(owner: string, placing: Placing): Promise<Instance> {
    const first = this.#instances[0] ?? this.#add();
    while (this.#comeBack());
    if (this.#balancer.blocked) throw circuitOpen(this.#fleet, soonest(this.#backends));
    placing.place = first.backend;
    // None is ready: the first one that comes up serves, whichever it is.
    this.#arriving += 1;
    await anyReady(this.#instances, Math.min(this.#limits.connectMs, placing.remainingMs)).finally(() => {
      this.#arriving -= 1;
    });
    return this.pick(owner, placing) ?? first;
  }

  async peek(avoid?: Set<object>): Promise<Instance> {
    const placing = { place: undefined, avoid, remainingMs: this.#limits.connectMs };
    return (
      this.pick("", placing) ?? this.#instances.find(({ state }) => state === "ready") ?? this.acquire("", placing)
    );
  }

  blank(avoid?: Set<object>): Promise<Instance> {
    return this.peek(avoid);
  }

  keeps(): boolean {
    return false;
  }

  ownerOf(): undefined {}

  async release(): Promise<void> {}

  refresh(): void {
    this.#backends = this.#instances.map(({ backend }) => backend);
    this.#balancer.update(this.#backends);
  }

  tend(): void {
    for (const instance of this.#leaving) {
      if (instance.backend.inFlight > 0) continue;
      this.#leaving.delete(instance);
      this.#instances = this.#instances.filter((other) => other !== instance);
      void instance.stop();
    }
    const staying = this.#staying;
    const peak = Math.max(this.#load.take(), this.#arriving);
    const busy = this.#busy(staying);
    const surplus = this.#scaleDown.surplus(staying.length, peak, busy)
      ? leastUsed(staying.filter(({ state }) => state !== "starting"))
      : undefined;
    if (surplus !== undefined) {
      this.#leaving.add(surplus);
      surplus.backend.retire(true);
    }
    this.refresh();
  }

  async close(): Promise<void> {
    await Promise.all(this.#instances.map((instance) => instance.stop()));
  }

  #grow(): void {
    const { targetInFlight, maxInstances } = this.#limits;
    const full = this.#staying.every(({ state, backend }) => state === "ready" && backend.inFlight >= targetInFlight);
    if (full && !this.#comeBack() && this.#instances.length < maxInstances) this.#add();
  }

  /** How many instances what these use needs; one more is started where that is more. */
  #busy(staying: readonly Instance[]): number {
    if (this.#need === undefined) return 0;
    const pids = staying.flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
    const needed = this.#need.of(pids);
    // One that starts is not counted yet.
    const settled = staying.every(({ state }) => state === "ready");
    if (settled && needed > staying.length && !this.#comeBack() && this.#instances.length < this.#limits.maxInstances)
      this.#add();
    return needed;
  }

  get #staying(): readonly Instance[] {
    return this.#leaving.size === 0 ? this.#instances : this.#instances.filter((one) => !this.#leaving.has(one));
  }

  /** The instance that is still there of those that were too many gets calls again. False when there is none. */
  #comeBack(): boolean {
    for (const instance of this.#leaving) {
      this.#leaving.delete(instance);
      this.#scaleDown.restart();
      instance.backend.retire(false);
      return true;
    }
    return false;
  }

  #add(): Instance {
    const instance = this.#create();
    instance.backend.total = this.#load;
    this.#scaleDown.restart();
    this.#instances.push(instance);
    this.refresh();
    return instance;
  }
}

/** What the circuit that may be tried first says. */
export function soonest(backends: readonly Backend[]): {
  readonly reason: string | undefined;
  readonly retryAfterMs: number;
} {
  const circuits = backends.flatMap(({ circuit }) =>
    circuit === undefined || circuit.state === "closed" ? [] : [circuit],
  );
  const [first] = circuits.sort((a, b) => a.retryAfterMs - b.retryAfterMs);
  return { reason: first?.reason, retryAfterMs: first?.retryAfterMs ?? 0 };
}
