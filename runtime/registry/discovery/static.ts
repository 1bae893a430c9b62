import type { BackendSpec } from "../backend.ts";
import type { FoundListener, InstanceDiscovery } from "./instance-discovery.ts";

/** Instances that the configuration lists. */
export class StaticDiscovery implements InstanceDiscovery {
  readonly name = "configuration";
  readonly #specs: readonly BackendSpec[];

  constructor(specs: readonly BackendSpec[]) {
    this.#specs = specs;
  }

  start(listener: FoundListener): void {
    listener(this.#specs);
  }

  async close(): Promise<void> {}
}
