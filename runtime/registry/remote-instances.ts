import { FleetError } from "../errors.ts";
import type { Backend, BackendSpec } from "./backend.ts";
import type { Balancer } from "./balancing/balancer.ts";
import type { Instance } from "./instance.ts";
import { anyReady, type InstanceSource, type Placing } from "./instance-source.ts";
import { circuitOpen } from "./resilience/fleet-circuit.ts";
import { soonest } from "./shared-instances.ts";

export interface RemoteInstancesOptions {
  readonly fleet: string;
  readonly connectMs: number;
  readonly balancer: Balancer;
  /** Makes an instance known and opens its first session. */
  readonly open: (spec: BackendSpec) => Backend;
  /** Told before an instance goes for good. */
  readonly onRemoved: (backend: Backend) => void;
}

/** Instances that one fleet may have, whoever finds them: a bound for what a discovery that errs may bring about. */
const maxInstances = 1000;

/**
 * Instances that something else runs: they come and go as discoveries and operators say, each with one session that all
 * callers share. One that is gone from the list gets no new calls and is forgotten when its last call has ended.
 */
export class RemoteInstances implements InstanceSource {
  readonly waiting = 0;
  readonly kept = 0;
  readonly #options: RemoteInstancesOptions;
  /** What each discovery has found, by the discovery's name. */
  readonly #found = new Map<string, readonly BackendSpec[]>();
  readonly #byAddress = new Map<string, Backend>();
  #backends: readonly Backend[] = [];
  #stateless = false;

  constructor(options: RemoteInstancesOptions) {
    this.#options = options;
  }

  get instances(): readonly Instance[] {
    return this.#backends.map(({ primary }) => primary);
  }

  get backends(): readonly Backend[] {
    return this.#backends;
  }

  /** Does nothing of a session live on its instance? */
  get stateless(): boolean {
    return this.#stateless;
  }

  /** What a discovery sees now; the others' findings stay. The first that names an address says its weight and zone. */
  found(source: string, specs: readonly BackendSpec[]): void {
    this.#found.set(source, specs);
    const wanted = new Map<string, BackendSpec>();
    for (const list of this.#found.values()) {
      for (const spec of list)
        if (!wanted.has(spec.address) && wanted.size < maxInstances) wanted.set(spec.address, spec);
    }
    for (const [address, spec] of wanted) {
      const backend = this.#byAddress.get(address);
      if (backend === undefined) this.#byAddress.set(address, this.#options.open(spec));
      else {
        if (backend.gone) backend.drain(false);
        backend.gone = false;
        backend.zone = spec.zone;
        if (spec.weight !== undefined && spec.weight !== backend.weight) backend.setWeight(spec.weight);
      }
    }
    for (const [address, backend] of this.#byAddress) {
      if (wanted.has(address) || backend.gone) continue;
      backend.gone = true;
      backend.drain(true);
    }
    this.tend();
  }

  pick(owner: string, { avoid }: Placing): Instance | undefined {
    return this.#options.balancer.pick(owner, avoid)?.primary;
  }

  /** Where a session of this owner is opened. */
  place(owner: string, { avoid }: Placing): Backend | undefined {
    return this.#options.balancer.place(owner, avoid);
  }

  /** Can one of them take another session, as far as is known? */
  get hasRoom(): boolean {
    const { eligible } = this.#options.balancer;
    return eligible.length === 0 || eligible.some(({ room }) => !room.full);
  }

  async acquire(owner: string, placing: Placing): Promise<Instance> {
    const first = await this.someReady(placing);
    return this.pick(owner, placing) ?? first;
  }

  /**
   * Waits until there is somebody to choose from, without choosing: a strategy that takes turns has one for each session.
   * Resolves with the first instance; rejects with the reason when none comes up in time.
   */
  async someReady(placing: Placing): Promise<Instance> {
    const { fleet, connectMs, balancer } = this.#options;
    if (balancer.blocked) throw circuitOpen(fleet, soonest(this.#backends));
    const instances = this.#backends.filter(({ draining }) => !draining).map(({ primary }) => primary);
    const [first] = instances;
    if (first === undefined) throw this.#none();
    placing.place = first.backend;
    await anyReady(instances, Math.min(connectMs, placing.remainingMs));
    return first;
  }

  async peek(avoid?: Set<object>): Promise<Instance> {
    const placing = { place: undefined, avoid, remainingMs: this.#options.connectMs };
    return this.pick("", placing) ?? this.instances.find(({ state }) => state === "ready") ?? this.acquire("", placing);
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
    this.#options.balancer.update(this.#backends);
    const known = this.#backends.flatMap(({ primary }) => primary.stateless ?? []);
    this.#stateless = known.length > 0 && !known.includes(false);
  }

  tend(): void {
    for (const [address, backend] of this.#byAddress) {
      if (!backend.gone || backend.inFlight > 0 || backend.sessions > 0) continue;
      this.#byAddress.delete(address);
      this.#options.onRemoved(backend);
      void backend.primary.stop().then(() => backend.connector.close());
    }
    this.#backends = [...this.#byAddress.values()];
    this.refresh();
  }

  async close(): Promise<void> {
    const backends = [...this.#byAddress.values()];
    await Promise.all(backends.map(({ primary }) => primary.stop()));
    await Promise.all(backends.map(({ connector }) => connector.close()));
  }

  #none(): FleetError {
    const fix = "look at what its discovery finds, or register an instance";
    return new FleetError("NO_INSTANCES", `${this.#options.fleet}: no instance is known; ${fix}`);
  }
}
