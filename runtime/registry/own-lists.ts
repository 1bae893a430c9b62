import { Catalog, type CatalogOptions, type ListCapability } from "./catalog.ts";
import type { Instance } from "./instance.ts";

/**
 * Lists of instances that one owner has to itself. They can show what the owner did there, so nobody else is shown them.
 * They go with their instance.
 */
export class OwnLists {
  readonly #options: Omit<CatalogOptions, "ask">;
  readonly #catalogs = new WeakMap<Instance, Catalog>();

  constructor(options: Omit<CatalogOptions, "ask">) {
    this.#options = options;
  }

  of(instance: Instance): Catalog {
    let catalog = this.#catalogs.get(instance);
    if (catalog === undefined) {
      const ask: CatalogOptions["ask"] = (method, params, exchange) => instance.request(method, params, exchange);
      catalog = new Catalog({ ...this.#options, ask });
      this.#catalogs.set(instance, catalog);
    }
    return catalog;
  }

  changed(instance: Instance, kind: ListCapability): void {
    this.#catalogs.get(instance)?.invalidate(kind);
  }
}
