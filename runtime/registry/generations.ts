import type { FleetClient } from "./fleet-client.ts";
import type { EarlierStatus } from "./fleet-status.ts";

/** A fleet as far as those that served before it, and after it, see it. */
export interface Generation {
  /** Has this client something here that it would lose elsewhere: an instance of its own? */
  keeps(client: FleetClient): boolean;
  /** Clients that have. */
  readonly kept: number;
  /** Calls under way. */
  readonly inFlight: number;
}

/**
 * The place of one fleet among those that have served under its name. A changed server gets a new fleet; clients with an
 * instance of their own stay with the one before it until they go or their time is up.
 */
export class Generations<Fleet extends Generation> {
  readonly #fleet: Fleet;
  #elders: readonly Fleet[] = [];
  #successor: Generations<Fleet> | undefined;

  constructor(fleet: Fleet) {
    this.#fleet = fleet;
  }

  /** The fleet that serves under its name now. Clients with a connection keep asking the one that they came to. */
  get latest(): Fleet {
    return this.#last.#fleet;
  }

  /** Those between are forgotten on the way. */
  get #last(): Generations<Fleet> {
    if (this.#successor === undefined) return this;
    this.#successor = this.#successor.#last;
    return this.#successor;
  }

  /** Those before it that still have clients, the latest first. Bound: `maxElders`. */
  get elders(): readonly Fleet[] {
    return this.#elders;
  }

  /** The same, in numbers; undefined when there is none. */
  get earlier(): EarlierStatus | undefined {
    if (this.#elders.length === 0) return undefined;
    const sum = (of: "kept" | "inFlight") => this.#elders.reduce((total, elder) => total + elder[of], 0);
    return { clients: sum("kept"), inFlight: sum("inFlight") };
  }

  /** The earlier fleet that this client stays with; undefined for all others. */
  keeperOf(client: FleetClient): Fleet | undefined {
    return this.#elders.length === 0 ? undefined : this.#elders.find((elder) => elder.keeps(client));
  }

  /** Takes the place of another one. */
  follow(elder: Generations<Fleet>): void {
    elder.#successor = this;
    this.#elders = [elder.#fleet, ...elder.#elders];
    elder.#elders = [];
  }

  /** Nobody is with this one any more. */
  forget(elder: Fleet): void {
    this.#elders = this.#elders.filter((one) => one !== elder);
  }
}
