import type { Instance } from "./instance.ts";
import type { InstanceLimits, InstanceSource } from "./instance-source.ts";

/**
 * Isolation `shared`: all callers share all instances; the ready one with the fewest calls in flight takes the next.
 * Another instance is started when each has `targetInFlight` calls, one is ended after `idleMs` without any.
 */
export class SharedInstances implements InstanceSource {
  readonly waiting = 0;
  readonly #limits: InstanceLimits;
  readonly #create: () => Instance;
  readonly #now: () => number;
  #instances: Instance[] = [];

  constructor(limits: InstanceLimits, create: () => Instance, now: () => number) {
    this.#limits = limits;
    this.#create = create;
    this.#now = now;
    while (this.#instances.length < limits.minInstances) this.#instances.push(create());
  }

  get instances(): readonly Instance[] {
    return this.#instances;
  }

  async acquire(): Promise<Instance> {
    const best = this.#best();
    if (best !== undefined) {
      if (best.inFlight >= this.#limits.targetInFlight) this.#grow();
      return best;
    }
    if (this.#instances.length === 0) this.#grow();
    // None is ready: the first one that comes up serves, whichever it is.
    await Promise.any(this.#instances.map((instance) => instance.ready(this.#limits.connectMs))).catch((error) => {
      throw (error as AggregateError).errors[0];
    });
    return this.#best() ?? (this.#instances[0] as Instance);
  }

  peek(): Promise<Instance> {
    return this.acquire();
  }

  ownerOf(): undefined {}

  async release(): Promise<void> {}

  tend(): void {
    const { minInstances, idleMs } = this.#limits;
    const idle = this.#instances.find(
      ({ inFlight, lastUsedAt }) => inFlight === 0 && this.#now() - lastUsedAt > idleMs,
    );
    if (idle === undefined || this.#instances.length <= minInstances) return;
    this.#instances = this.#instances.filter((instance) => instance !== idle);
    void idle.stop();
  }

  async close(): Promise<void> {
    await Promise.all(this.#instances.map((instance) => instance.stop()));
  }

  #best(): Instance | undefined {
    let best: Instance | undefined;
    for (const instance of this.#instances) {
      if (instance.state === "ready" && (best === undefined || instance.inFlight < best.inFlight)) best = instance;
    }
    return best;
  }

  #grow(): void {
    const starting = this.#instances.some(({ state }) => state !== "ready");
    if (!starting && this.#instances.length < this.#limits.maxInstances) this.#instances.push(this.#create());
  }
}
