import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import type { Logger } from "pino";
import { messageOf } from "../errors.ts";
import type { ListCapability } from "./catalog.ts";
import type { Fleet, FleetOptions } from "./fleet.ts";
import { proven } from "./proven.ts";

/** Something that changed in what clients may list. */
export type ListChange = { readonly server: string; readonly kind: ListCapability };

/** A change that is not in force: its server was not ready. */
export interface RefusedChange {
  readonly server: string;
  readonly reason: string;
}

export interface FleetRegistryOptions {
  readonly create: (server: FleetOptions["server"]) => Fleet;
  readonly onListChanged: (change: ListChange) => void;
  /** What has become of a change. */
  readonly onChange?: (server: string, outcome: "applied" | "refused") => void;
  /** How long calls of a fleet that goes may still run. */
  readonly drainMs: number;
  /** How long clients with an instance of their own may stay with a fleet after its server has changed. */
  readonly sessionDrainMs: number;
  /** The same for one that was removed; for clients that give back what they need no more. Defaults to 0. */
  readonly removedDrainMs?: number;
  readonly log: Logger;
}

/** A fleet for a changed server that has yet to show that it serves. */
interface Candidate {
  readonly fleet: Fleet;
  readonly settled: Promise<RefusedChange | undefined>;
  /** A later change has taken its place. */
  withdraw(): void;
}

const drainPollMs = 50;
/** Changed often, a server has so many forerunners with clients; then the clients of the oldest go on without it. */
export const maxElders = 4;

/**
 * All fleets by name. A new configuration touches only the fleets that it changes, and a changed server serves before its
 * forerunner goes.
 */
export class FleetRegistry {
  readonly #options: FleetRegistryOptions;
  readonly #leaving = new Map<Fleet, Promise<void>>();
  readonly #fleets = new Map<string, Fleet>();
  readonly #candidates = new Map<string, Candidate>();
  #sorted: readonly Fleet[] = [];
  #closed = false;

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

  /** An owner has gone: its fleets give back what they keep for it. */
  releaseAll({ owner, fleets }: { readonly owner: string; readonly fleets: ReadonlySet<string> }): void {
    for (const name of fleets) void this.get(name)?.release(owner);
  }

  /**
   * Starts new fleets at once, drains those that were removed, leaves the others alone. A changed fleet takes the place of the one before it
   * when it is ready; resolves with those that were not, whose forerunners go on. Throws when a new fleet cannot be made, and changes nothing then.
   */
  apply(servers: readonly FleetOptions["server"][]): Promise<readonly RefusedChange[]> {
    const { create, log } = this.#options;
    const added = servers.filter(({ name }) => !this.#fleets.has(name)).map(create);
    const names = new Set(servers.map(({ name }) => name));
    const removed = [...this.#fleets.values()].filter(({ name }) => !names.has(name));
    for (const fleet of removed) this.#remove(fleet);
    for (const fleet of added) this.#fleets.set(fleet.name, fleet);
    this.#sort();
    if (added.length + removed.length > 0)
      log.info({ added: added.map(({ name }) => name), removed: removed.map(({ name }) => name) }, "fleets applied");
    for (const { name } of [...added, ...removed]) this.#announce(name);
    return Promise.all(servers.map((server) => this.#change(server))).then((settled) =>
      settled.filter((refused) => refused !== undefined),
    );
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const candidate of [...this.#candidates.values()]) this.#withdraw(candidate);
    const fleets = [...this.#fleets.values(), ...this.#leaving.keys()];
    this.#fleets.clear();
    this.#sorted = [];
    await Promise.all([...fleets.map((fleet) => fleet.close()), ...this.#leaving.values()]);
  }

  /** Resolves with why a server is not as it is to be; with undefined when it is, or when a later change has taken its place. */
  #change(server: FleetOptions["server"]): Promise<RefusedChange | undefined> | undefined {
    const { name } = server;
    const current = this.#fleets.get(name) as Fleet;
    const candidate = this.#candidates.get(name);
    if (candidate !== undefined && isDeepStrictEqual(candidate.fleet.server, server)) return candidate.settled;
    if (candidate !== undefined) this.#withdraw(candidate);
    if (isDeepStrictEqual(current.server, server)) {
      current.refused = undefined;
      return undefined;
    }
    let fleet: Fleet;
    try {
      fleet = this.#options.create(server);
    } catch (error) {
      return Promise.resolve(this.#refuse(current, error));
    }
    const { health } = current.status();
    if (health !== "ready" && health !== "idle") {
      this.#succeed(current, fleet);
      return undefined;
    }
    const { promise: withdrawn, resolve: withdraw } = Promise.withResolvers<undefined>();
    const settled = Promise.race([this.#prove(current, fleet), withdrawn]);
    this.#candidates.set(name, { fleet, settled, withdraw: () => withdraw(undefined) });
    return settled;
  }

  async #prove(current: Fleet, fleet: Fleet): Promise<RefusedChange | undefined> {
    const { name } = fleet;
    const wanted = () => this.#candidates.get(name)?.fleet === fleet;
    try {
      await proven(fleet);
    } catch (error) {
      if (!wanted()) return undefined;
      this.#candidates.delete(name);
      const refused = this.#refuse(current, error);
      await this.#end(fleet);
      return refused;
    }
    if (!wanted()) return undefined;
    this.#candidates.delete(name);
    this.#succeed(current, fleet);
    return undefined;
  }

  #refuse(current: Fleet, error: unknown): RefusedChange {
    const { name: server } = current;
    const reason = messageOf(error);
    current.refused = reason;
    this.#options.log.error({ server, reason }, "the change of the server is refused: the one before it goes on");
    this.#options.onChange?.(server, "refused");
    return { server, reason };
  }

  #succeed(elder: Fleet, fleet: Fleet): void {
    const { name } = fleet;
    this.#fleets.set(name, fleet);
    this.#sort();
    fleet.succeed(elder);
    this.#options.log.info({ server: name, staying: elder.kept }, "the changed server serves");
    this.#options.onChange?.(name, "applied");
    this.#leave(elder, this.#options.sessionDrainMs);
    for (const oldest of fleet.generations.elders.slice(maxElders)) oldest.retire();
    this.#announce(name);
  }

  #withdraw({ fleet, withdraw }: Candidate): void {
    this.#candidates.delete(fleet.name);
    withdraw();
    void this.#end(fleet);
  }

  #remove(fleet: Fleet): void {
    const candidate = this.#candidates.get(fleet.name);
    if (candidate !== undefined) this.#withdraw(candidate);
    this.#fleets.delete(fleet.name);
    for (const elder of fleet.generations.elders) elder.retire();
    this.#leave(fleet, this.#options.removedDrainMs ?? 0);
  }

  /** Ends a fleet when nobody needs it any more, or when time is up. */
  #leave(fleet: Fleet, sessionMs: number): void {
    const leaving = this.#left(fleet, sessionMs)
      .then(() => this.#end(fleet))
      .finally(() => {
        this.#leaving.delete(fleet);
        fleet.generations.latest.generations.forget(fleet);
      });
    this.#leaving.set(fleet, leaving);
  }

  async #end(fleet: Fleet): Promise<void> {
    await fleet.close().catch((error) => {
      this.#options.log.error({ server: fleet.name, err: error }, "a fleet did not end cleanly");
    });
  }

  async #left(fleet: Fleet, sessionMs: number): Promise<void> {
    await this.#until(() => fleet.kept + fleet.inFlight === 0, sessionMs);
    fleet.retire();
    await this.#until(() => fleet.inFlight === 0, this.#options.drainMs);
  }

  async #until(done: () => boolean, withinMs: number): Promise<void> {
    const polls = Math.ceil(withinMs / drainPollMs);
    for (let poll = 0; poll < polls && !done() && !this.#closed; poll += 1) await sleep(drainPollMs);
  }

  #sort(): void {
    this.#sorted = [...this.#fleets.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  #announce(server: string): void {
    for (const kind of ["tools", "prompts", "resources"] as const) this.#options.onListChanged({ server, kind });
  }
}
