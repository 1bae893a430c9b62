import type { Backend } from "./backend.ts";
import type { Balancer } from "./balancing/balancer.ts";
import type { Instance } from "./instance.ts";
import { anyReady, type InstanceLimits, type InstanceSource, type Placing } from "./instance-source.ts";
import { circuitOpen } from "./resilience/fleet-circuit.ts";

/**
 * Isolation `shared` of local processes: all callers share all instances. Another one is started when each has
 * `targetInFlight` calls, one is ended after `idleMs` without any.
 */
export class SharedInstances implements InstanceSource {
  readonly waiting = 0;
  readonly #fleet: string;
  readonly #limits: InstanceLimits;
  readonly #create: () => Instance;
  readonly #balancer: Balancer;
  readonly #now: () => number;
  #instances: Instance[] = [];
  #backends: readonly Backend[] = [];

  constructor(fleet: string, limits: InstanceLimits, create: () => Instance, balancer: Balancer, now: () => number) {
    this.#fleet = fleet;
    this.#limits = limits;
    this.#create = create;
    this.#balancer = balancer;
    this.#now = now;
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
    if (this.#balancer.blocked) throw circuitOpen(this.#fleet, soonest(this.#backends));
    placing.place = first.backend;
    // None is ready: the first one that comes up serves, whichever it is.
    await anyReady(this.#instances, Math.min(this.#limits.connectMs, placing.remainingMs));
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

  ownerOf(): undefined {}

  async release(): Promise<void> {}

  refresh(): void {
    this.#backends = this.#instances.map(({ backend }) => backend);
    this.#balancer.update(this.#backends);
  }

  tend(): void {
    const { minInstances, idleMs } = this.#limits;
    const idle = this.#instances.find(
      ({ state, inFlight, lastUsedAt }) => state !== "starting" && inFlight === 0 && this.#now() - lastUsedAt > idleMs,
    );
    if (idle !== undefined && this.#instances.length > minInstances) {
      this.#instances = this.#instances.filter((instance) => instance !== idle);
      void idle.stop();
    }
    this.refresh();
  }

  async close(): Promise<void> {
    await Promise.all(this.#instances.map((instance) => instance.stop()));
  }

  #grow(): void {
    const { targetInFlight, maxInstances } = this.#limits;
    const full = this.#instances.every(({ state, backend }) => state === "ready" && backend.inFlight >= targetInFlight);
    if (full && this.#instances.length < maxInstances) this.#add();
  }

  #add(): Instance {
    const instance = this.#create();
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
