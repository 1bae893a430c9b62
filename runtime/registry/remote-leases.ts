import type { Backend } from "./backend.ts";
import type { Instance } from "./instance.ts";
import type { InstanceLimits, InstanceSource, LeaseClients, LeaseHolder, Placing } from "./instance-source.ts";
import { LeasedInstances } from "./leased-instances.ts";
import type { RemoteInstances } from "./remote-instances.ts";

/** Instances on which a session is tried for a call before the next one gets all of its time. */
const mostTried = 2;
/** While sessions wait, hosts that are full are asked after this time all the same. */
const insistMs = 5000;

/**
 * Isolation `session` or `caller` over instances that something else runs: each owner has a session to itself on one
 * instance and stays there, unless that instance is found not to serve; then it gets a new session on another one. Servers
 * without sessions keep nothing between calls, so their calls are spread.
 */
export class RemoteLeases implements InstanceSource {
  readonly #remote: RemoteInstances;
  readonly #leases: LeasedInstances;
  readonly #create: (backend: Backend) => Instance;
  readonly #patienceMs: () => number;
  readonly #now: () => number;
  #insistedAt = Number.NEGATIVE_INFINITY;

  /** `patienceMs`: how long the opening of a session may take before another instance is tried. */
  constructor(
    fleet: string,
    limits: InstanceLimits,
    remote: RemoteInstances,
    create: (backend: Backend) => Instance,
    now: () => number,
    clients: LeaseClients,
    patienceMs: () => number,
  ) {
    this.#remote = remote;
    this.#create = create;
    this.#patienceMs = patienceMs;
    this.#now = now;
    const open = (owner: string, placing: Placing) => this.#open(owner, placing);
    // Opening a session costs little: none is kept for owners who may come.
    const hasRoom = () => this.#remote.hasRoom;
    this.#leases = new LeasedInstances(fleet, { ...limits, minInstances: 0 }, open, now, clients, hasRoom);
  }

  get instances(): readonly Instance[] {
    return [...this.#leases.instances, ...this.#remote.instances];
  }

  get backends(): readonly Backend[] {
    return this.#remote.backends;
  }

  get waiting(): number {
    return this.#leases.waiting;
  }

  keeps(owner: string): boolean {
    return !this.#stateless && this.#leases.keeps(owner);
  }

  get kept(): number {
    return this.#stateless ? 0 : this.#leases.kept;
  }

  pick(owner: string, placing: Placing): Instance | undefined {
    const instance = this.#leases.pick(owner);
    if (instance === undefined) return this.#stateless ? this.#remote.pick(owner, placing) : undefined;
    return this.#mustMove(instance, placing) ? undefined : instance;
  }

  async acquire(owner: string, placing: Placing, holder?: LeaseHolder): Promise<Instance> {
    const instance = this.#leases.leased(owner);
    if (instance !== undefined && this.#mustMove(instance, placing)) this.#leases.leave(owner);
    // Somebody must be there to choose from; who is not there says why.
    if (this.#leases.leased(owner) === undefined) {
      const first = await this.#remote.someReady(placing);
      if (this.#stateless) return this.#remote.pick(owner, placing) ?? first;
    }
    return this.#opened(owner, placing, holder);
  }

  /** An instance that does not open a session in the usual time is left for another one, while there are some to try. */
  async #opened(owner: string, placing: Placing, holder: LeaseHolder | undefined): Promise<Instance> {
    const tried = placing.avoid?.size ?? 0;
    const usable = this.#remote.backends.filter((backend) => backend.usable && placing.avoid?.has(backend) !== true);
    if (tried >= mostTried || usable.length < 2) return this.#leases.acquire(owner, placing, holder);
    try {
      return await this.#leases.acquire(owner, placing, holder, this.#patienceMs());
    } catch (error) {
      const opening = this.#leases.leased(owner);
      if (opening?.state === "starting") {
        placing.place = opening.backend;
        void this.#leases.release(owner);
      }
      throw error;
    }
  }

  /** Sessions with these instances keep nothing: each call can go anywhere. */
  get #stateless(): boolean {
    return this.#remote.stateless;
  }

  peek(): Promise<Instance> {
    return this.#remote.peek();
  }

  blank(avoid?: Set<object>): Promise<Instance> {
    return this.#remote.peek(avoid);
  }

  ownerOf(instance: Instance): string | undefined {
    return this.#leases.ownerOf(instance);
  }

  wanted(instance: Instance): void {
    this.#leases.wanted(instance);
  }

  release(owner: string): Promise<void> {
    return this.#leases.release(owner);
  }

  refresh(): void {
    this.#remote.refresh();
  }

  tend(): void {
    const now = this.#now();
    // Hosts make room only for who asks them: what clients of other gateways have left is given back then.
    const insist = this.#leases.waiting > 0 && now - this.#insistedAt >= insistMs;
    if (insist) this.#insistedAt = now;
    for (const { room } of this.#remote.backends) {
      room.tend(now);
      if (insist) room.forget();
    }
    this.#leases.tend();
    this.#remote.tend();
  }

  async close(): Promise<void> {
    await this.#leases.close();
    await this.#remote.close();
  }

  #open(owner: string, placing: Placing): Instance {
    const backend = this.#remote.place(owner, placing) ?? (this.#remote.backends[0] as Backend);
    placing.place = backend;
    return this.#create(backend);
  }

  /**
   * A session on an instance that does not answer is lost; elsewhere its owner at least can begin anew. One that its instance
   * has refused has nothing there.
   */
  #mustMove({ backend, refused }: Instance, { avoid }: Placing): boolean {
    if (refused) return true;
    const leave = backend.lost || backend.ejected || avoid?.has(backend) === true;
    return (
      leave &&
      this.#remote.backends.some((other) => other !== backend && other.ready && other.healthy && !other.draining)
    );
  }
}
