import { isDeepStrictEqual } from "node:util";
import type { ResolvedServer } from "../config/index.ts";
import type { RefusedChange } from "../registry/fleet-registry.ts";
import { isRemote } from "./place.ts";

/**
 * The servers as workers are to have them. One whose processes the supervisor runs stays as it was until the changed one serves there:
 * workers that came earlier would be given the old one.
 */
export class ServedServers {
  #servers: readonly ResolvedServer[];
  #wanted: readonly ResolvedServer[];

  constructor(servers: readonly ResolvedServer[]) {
    this.#servers = servers;
    this.#wanted = servers;
  }

  get servers(): readonly ResolvedServer[] {
    return this.#servers;
  }

  /** A change is under way: what is not the supervisor's is in force at once. */
  wanted(servers: readonly ResolvedServer[]): void {
    this.#wanted = servers;
    this.#servers = servers.map((server) => (isRemote(server) ? server : (this.#before(server.name) ?? server)));
  }

  /** It is over, but for those that are refused. False when workers have nothing to be told: a later one is under way, or all is as it was. */
  settle(servers: readonly ResolvedServer[], refused: readonly RefusedChange[]): boolean {
    if (this.#wanted !== servers) return false;
    const names = new Set(refused.map(({ server }) => server));
    const before = this.#servers;
    this.#servers = servers.map((server) => (names.has(server.name) ? (this.#before(server.name) ?? server) : server));
    return !isDeepStrictEqual(before, this.#servers);
  }

  /** What serves under this name in the supervisor. */
  #before(name: string): ResolvedServer | undefined {
    return this.#servers.find((server) => server.name === name && !isRemote(server));
  }
}
