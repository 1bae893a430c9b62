import type { BackendSpec } from "../backend.ts";
import type { FoundListener, InstanceDiscovery } from "./instance-discovery.ts";

/** Instances that operators have registered at the admin listener; they last as long as the gateway. */
export class RegisteredInstances implements InstanceDiscovery {
  readonly name = "registered";
  readonly #specs = new Map<string, BackendSpec>();
  #listener: FoundListener = () => {};

  start(listener: FoundListener): void {
    this.#listener = listener;
  }

  get size(): number {
    return this.#specs.size;
  }

  has(address: string): boolean {
    return this.#specs.has(address);
  }

  /** A second time for one address changes its weight and zone. */
  add(spec: BackendSpec): void {
    this.#specs.set(spec.address, spec);
    this.#tell();
  }

  /** False when it was not registered here. */
  remove(address: string): boolean {
    const known = this.#specs.delete(address);
    if (known) this.#tell();
    return known;
  }

  async close(): Promise<void> {
    this.#listener = () => {};
  }

  #tell(): void {
    this.#listener([...this.#specs.values()]);
  }
}
