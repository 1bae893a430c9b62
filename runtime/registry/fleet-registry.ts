import { isDeepStrictEqual } from "node:util";
import type { Logger } from "pino";
import type { ListCapability } from "./catalog.ts";
import type { Fleet, FleetOptions } from "./fleet.ts";

/** Something that changed in what clients may list. */
export type ListChange = { readonly server: string; readonly kind: ListCapability };

export interface FleetRegistryOptions {
  readonly create: (server: FleetOptions["server"]) => Fleet;
  readonly onListChanged: (change: ListChange) => void;
  /** How long calls of a fleet that goes may still run. */
  readonly drainMs: number;
  readonly log: Logger;
}

const drainPollMs = 50;

/** All fleets by name. A new configuration touches only the fleets that it changes. */
export class FleetRegistry {
  readonly #options: FleetRegistryOptions;
  readonly #leaving = new Set<Promise<void>>();
  #fleets = new Map<string, Fleet>();
  #sorted: readonly Fleet[] = [];

  constructor(options: FleetRegistryOptions) {
    this.#options = options;
  }

  get(name: string): Fleet | undefined {
    return this.#fleets.get(name);
  }

  /** In the order of their names, so that lists are the same each time. */
  all(): readonly Fleet[] {
    return this.#sorted;
  }

  /** Starts new and changed fleets, drains those that were removed or replaced, leaves the others alone. */
  apply(servers: readonly FleetOptions["server"][]): void {
    const { create, log, onListChanged } = this.#options;
    const next = new Map<string, Fleet>();
    const changed: string[] = [];
    for (const server of servers) {
      const current = this.#fleets.get(server.name);
      const same = current !== undefined && isDeepStrictEqual(current.server, server);
      next.set(server.name, same ? current : create(server));
      if (!same) changed.push(server.name);
    }
    const leaving = [...this.#fleets.values()].filter((fleet) => next.get(fleet.name) !== fleet);
    this.#fleets = next;
    this.#sorted = [...next.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const fleet of leaving) this.#drain(fleet);
    const names = new Set([...changed, ...leaving.map(({ name }) => name)]);
    if (names.size > 0)
      log.info(
        { changed, removed: leaving.map(({ name }) => name).filter((name) => !next.has(name)) },
        "fleets applied",
      );
    for (const server of names) {
      for (const kind of ["tools", "prompts", "resources"] as const) onListChanged({ server, kind });
    }
  }

  async close(): Promise<void> {
    const fleets = [...this.#fleets.values()];
    this.#fleets = new Map();
    this.#sorted = [];
    await Promise.all([...fleets.map((fleet) => fleet.close()), ...this.#leaving]);
  }

  #drain(fleet: Fleet): void {
    const leaving = this.#whenIdle(fleet)
      .then(() => fleet.close())
      .catch((error) => this.#options.log.error({ server: fleet.name, err: error }, "a fleet did not end cleanly"))
      .finally(() => this.#leaving.delete(leaving));
    this.#leaving.add(leaving);
  }

  async #whenIdle(fleet: Fleet): Promise<void> {
    const polls = Math.ceil(this.#options.drainMs / drainPollMs);
    for (let poll = 0; poll < polls && fleet.status().inFlight > 0; poll += 1) {
      await new Promise((resolve) => setTimeout(resolve, drainPollMs));
    }
  }
}
