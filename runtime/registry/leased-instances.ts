import { FleetError } from "../errors.ts";
import type { Backend } from "./backend.ts";
import type { Instance } from "./instance.ts";
import type {
  InstanceLimits,
  InstanceSource,
  LeaseClients,
  LeaseCount,
  LeaseHolder,
  Placing,
} from "./instance-source.ts";
import { type Lease, leaseToAskFor, leaseToGiveUp } from "./lease.ts";

/** A call that waits for its owner's instance. */
interface Waiter {
  readonly holder: LeaseHolder | undefined;
  readonly placing: Placing;
  readonly timer: NodeJS.Timeout;
  resolve(instance: Instance): void;
  reject(error: FleetError): void;
}

/** For instances that are started before there is a call. */
const anywhere: Placing = Object.freeze({ avoid: undefined, place: undefined, remainingMs: Number.POSITIVE_INFINITY });

/** Owners that may wait for each instance there can be, before the next one is refused at once. */
export const queuePerInstance = 4;

/**
 * Isolation `session`: each owner has an instance to itself, taken from a few warm ones, never handed on to another
 * owner: it is ended when the owner goes, or after `idleMs` without a call. At most `maxInstances` exist; then a lease whose
 * client has gone gives way, else owners queue for `connectMs`, and a long queue refuses.
 */
export class LeasedInstances implements InstanceSource {
  readonly #fleet: string;
  readonly #limits: InstanceLimits;
  readonly #create: (owner: string, placing: Placing) => Instance;
  readonly #now: () => number;
  readonly #clients: LeaseClients;
  readonly #roomBeyond: () => boolean;
  readonly #leases = new Map<string, Lease>();
  readonly #ending = new Set<Instance>();
  /** Their owners have gone elsewhere; they end when their calls in flight have. */
  readonly #leaving = new Set<Instance>();
  #warm: Instance[] = [];
  /** Calls of the owners that wait for an instance, by owner: who has waited longest comes first. */
  readonly #queue = new Map<string, Set<Waiter>>();
  #closed = false;

  /** `roomBeyond`: is there room for another one where instances run? Defaults to yes. */
  constructor(
    fleet: string,
    limits: InstanceLimits,
    create: (owner: string, placing: Placing) => Instance,
    now: () => number,
    clients: LeaseClients = unknownClients,
    roomBeyond: () => boolean = () => true,
  ) {
    this.#fleet = fleet;
    this.#limits = limits;
    this.#create = create;
    this.#now = now;
    this.#clients = clients;
    this.#roomBeyond = roomBeyond;
    this.#replenish();
  }

  get instances(): readonly Instance[] {
    return [...Array.from(this.#leases.values(), ({ instance }) => instance), ...this.#warm, ...this.#leaving];
  }

  get waiting(): number {
    return this.#queue.size;
  }

  /** Instances that owners have to themselves, those included that are ending, of those that there can be. */
  get leases(): LeaseCount {
    return { used: this.#leases.size + this.#ending.size + this.#leaving.size, max: this.#limits.maxInstances };
  }

  keeps(owner: string): boolean {
    return this.leased(owner) !== undefined;
  }

  get kept(): number {
    return this.#leases.size;
  }

  /** A process of one owner's is not chosen from several, so there is nothing to balance. */
  get backends(): readonly Backend[] {
    return [];
  }

  pick(owner: string): Instance | undefined {
    const instance = this.#leases.get(owner)?.instance;
    return instance?.state === "ready" ? instance : undefined;
  }

  /** What the owner has, ready or not. */
  leased(owner: string): Instance | undefined {
    const instance = this.#leases.get(owner)?.instance;
    if (instance === undefined || instance.state !== "ended") return instance;
    this.#leases.delete(owner);
    return undefined;
  }

  async acquire(
    owner: string,
    placing: Placing,
    holder?: LeaseHolder,
    withinMs = this.#limits.connectMs,
  ): Promise<Instance> {
    const instance =
      this.leased(owner) ??
      this.#lease(owner, placing, holder) ??
      (holder?.elsewhere !== undefined ? this.#refuse(holder) : await this.#wait(owner, placing, holder));
    const lease = this.#leases.get(owner);
    const patienceMs = Math.min(withinMs, placing.remainingMs);
    if (lease === undefined) await instance.ready(patienceMs);
    else await this.#arrived(lease, patienceMs);
    return instance;
  }

  async peek(): Promise<Instance> {
    const ready = this.instances.find(({ state }) => state === "ready");
    if (ready !== undefined) return ready;
    return this.#readied(this.#unused() ?? this.instances[0]);
  }

  blank(): Promise<Instance> {
    return this.#readied(this.#unused());
  }

  ownerOf(instance: Instance): string | undefined {
    for (const [owner, leased] of this.#leases) if (leased.instance === instance) return owner;
    return undefined;
  }

  wanted(instance: Instance): void {
    const owner = this.ownerOf(instance);
    const lease = owner === undefined ? undefined : this.#leases.get(owner);
    if (owner === undefined || lease === undefined) return;
    if (leaseToGiveUp(new Map([[owner, lease]]), undefined, this.#clients.attached) === owner) void this.release(owner);
    else if (instance.inFlight > 0) this.#clients.giveUpParked(new Set([instance.backend]));
  }

  async release(owner: string): Promise<void> {
    const instance = this.#leases.get(owner)?.instance;
    if (instance === undefined) return;
    this.#leases.delete(owner);
    await this.#end(instance);
  }

  /** The owner gets another instance with its next call; what is in flight on this one comes to its end. */
  leave(owner: string): void {
    const instance = this.#leases.get(owner)?.instance;
    if (instance === undefined) return;
    this.#leases.delete(owner);
    this.#leaving.add(instance);
    this.#endLeaving();
  }

  refresh(): void {}

  tend(): void {
    if (this.#closed) return;
    this.#endLeaving();
    for (const [owner, { instance, arriving }] of this.#leases) {
      const { state, inFlight, lastUsedAt } = instance;
      const idle = arriving + inFlight === 0 && this.#now() - lastUsedAt > this.#limits.idleMs;
      if (state === "ended" || idle || this.#hangs(instance)) void this.release(owner);
    }
    this.#endIdleWarm();
    for (const [owner, waiters] of this.#queue) {
      if (this.leased(owner) === undefined && this.#warm.length === 0 && !this.#hasRoom()) break;
      this.#queue.delete(owner);
      for (const { placing, holder, timer, resolve } of waiters) {
        clearTimeout(timer);
        resolve((this.leased(owner) ?? this.#lease(owner, placing, holder)) as Instance);
      }
    }
    this.#makeRoom();
    this.#replenish();
  }

  /** An instance that was started to be asked what all are shown, and that nobody has leased. */
  #endIdleWarm(): void {
    const { minInstances, idleMs } = this.#limits;
    if (this.#warm.length <= minInstances) return;
    const idle = this.#warm.find(
      ({ state, inFlight, lastUsedAt }) => state !== "starting" && inFlight === 0 && this.#now() - lastUsedAt > idleMs,
    );
    if (idle === undefined) return;
    this.#warm = this.#warm.filter((instance) => instance !== idle);
    void this.#end(idle);
  }

  /** Has it said nothing past the deadlines of all its calls? */
  #hangs({ state, inFlight, backend: { signs } }: Instance): boolean {
    const { requestMs } = this.#limits;
    if (requestMs === undefined || state !== "ready") return false;
    signs.notice(this.#now(), inFlight);
    return signs.silentSince !== undefined && signs.isDead(this.#now(), requestMs, inFlight);
  }

  #endLeaving(): void {
    for (const instance of this.#leaving) {
      if (instance.inFlight > 0) continue;
      this.#leaving.delete(instance);
      void this.#end(instance);
    }
  }

  async #end(instance: Instance): Promise<void> {
    this.#ending.add(instance);
    await instance.stop();
    this.#ending.delete(instance);
    this.tend();
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const { timer, reject } of [...this.#queue.values()].flatMap((waiters) => [...waiters])) {
      clearTimeout(timer);
      reject(new FleetError("DRAINING", `${this.#fleet}: the fleet is shutting down`));
    }
    this.#queue.clear();
    const all = [...this.instances, ...this.#ending];
    this.#leases.clear();
    this.#leaving.clear();
    this.#warm = [];
    await Promise.all(all.map((instance) => instance.stop()));
  }

  /** A warm instance, the readiest first, else a new one while there is room. */
  #lease(owner: string, placing: Placing, holder: LeaseHolder | undefined): Instance | undefined {
    if (this.#closed) throw new FleetError("DRAINING", `${this.#fleet}: the fleet is shutting down`);
    let instance = this.#warm.find(({ state }) => state === "ready") ?? this.#warm[0];
    if (instance === undefined && this.#hasRoom()) instance = this.#create(owner, placing);
    if (instance === undefined) return undefined;
    this.#warm = this.#warm.filter((warm) => warm !== instance);
    instance.leaseTo(owner);
    instance.lastUsedAt = this.#now();
    this.#leases.set(owner, { instance, holder: kept(holder), arriving: 0 });
    this.#replenish();
    return instance;
  }

  /** Resolves when the call can be sent. Until it has been, its instance is not idle. */
  async #arrived(lease: Lease, withinMs: number): Promise<void> {
    lease.arriving += 1;
    try {
      await lease.instance.ready(withinMs);
    } finally {
      setImmediate(() => {
        lease.arriving -= 1;
      });
    }
  }

  /** Ends leases whose clients have gone, one for each owner that waits. */
  #makeRoom(): void {
    const waiting = this.#queue.values();
    for (let ending = this.#ending.size; ending > 0; ending -= 1) waiting.next();
    for (const [{ holder } = { holder: undefined }] of waiting) {
      const owner = leaseToGiveUp(this.#leases, holder, this.#clients.attached);
      if (owner !== undefined) void this.release(owner);
      else if (!this.#askForOne() && !this.#giveUpParked()) return;
    }
  }

  /** A call that waits for its client's answer holds an instance, and a stateless client that has gone does not say so. */
  #giveUpParked(): boolean {
    const busy = [...this.#leases.values()].filter(({ instance }) => instance.inFlight > 0);
    return this.#clients.giveUpParked(new Set(busy.map(({ instance }) => instance.backend)));
  }

  /** A warm instance, the readiest first; a new one while there is room. */
  #unused(): Instance | undefined {
    const warm = this.#warm.find(({ state }) => state === "ready") ?? this.#warm[0];
    if (warm !== undefined || !this.#hasRoom()) return warm;
    const instance = this.#create("", anywhere);
    this.#warm.push(instance);
    return instance;
  }

  async #readied(instance: Instance | undefined): Promise<Instance> {
    if (instance === undefined) throw this.#exhausted();
    await instance.ready(this.#limits.connectMs);
    return instance;
  }

  /** Nobody waits here who tries the others. Who has found them full finds room with the next try, if somebody can make some. */
  #refuse(holder: LeaseHolder): never {
    if (holder.elsewhere === "full" && this.#ending.size === 0) {
      const owner = leaseToGiveUp(this.#leases, holder, this.#clients.attached);
      if (owner !== undefined) void this.release(owner);
      else if (!this.#askForOne()) this.#giveUpParked();
    }
    throw this.#exhausted();
  }

  /** Tells a holder that others wait. False when there is none to tell. */
  #askForOne(): boolean {
    const lease = leaseToAskFor(this.#leases, this.#now());
    if (lease === undefined) return false;
    lease.toldAt = this.#now();
    lease.holder?.wanted?.();
    return true;
  }

  /** Many calls of one owner have one place in the queue: they get the same instance. */
  #wait(owner: string, placing: Placing, holder: LeaseHolder | undefined): Promise<Instance> {
    const waiters = this.#queue.get(owner) ?? new Set<Waiter>();
    if (waiters.size === 0 && this.#queue.size >= this.#limits.maxInstances * queuePerInstance) {
      return Promise.reject(this.#exhausted());
    }
    this.#queue.set(owner, waiters);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => {
          waiters.delete(waiter);
          if (waiters.size === 0) this.#queue.delete(owner);
          reject(this.#exhausted());
        },
        Math.min(this.#limits.connectMs, placing.remainingMs),
      );
      const waiter: Waiter = { placing, holder, timer, resolve, reject };
      waiters.add(waiter);
      this.#makeRoom();
    });
  }

  #replenish(): void {
    while (!this.#closed && this.#warm.length < this.#limits.minInstances && this.#hasRoom()) {
      this.#warm.push(this.#create("", anywhere));
    }
  }

  #hasRoom(): boolean {
    const { used, max } = this.leases;
    return used + this.#warm.length < max && this.#roomBeyond();
  }

  #exhausted(): FleetError {
    if (!this.#roomBeyond()) {
      const fix = "call again later, end sessions that are not needed, or run more instances";
      return new FleetError("POOL_EXHAUSTED", `${this.#fleet}: no instance has room for another session; ${fix}`);
    }
    const { maxInstances } = this.#limits;
    const fix = "call again later, end sessions that are not needed, or raise scaling.maxInstances of this server";
    return new FleetError("POOL_EXHAUSTED", `${this.#fleet}: all ${maxInstances} instances are leased; ${fix}`);
  }
}

const unknownClients: LeaseClients = { attached: () => true, giveUpParked: () => false };

/**
 * What a lease keeps of its holder. A client that nothing can be asked of later can be one call of many, with all that it
 * was sent and answered: of that the lease keeps the name.
 */
function kept(holder: LeaseHolder | undefined): LeaseHolder | undefined {
  if (holder === undefined || holder.wanted !== undefined || holder.attached !== undefined) return holder;
  return { caller: holder.caller };
}
