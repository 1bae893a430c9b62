import { isDeepStrictEqual } from "node:util";
import type { ResolvedServer } from "../config/index.ts";
import type { RefusedChange } from "../registry/fleet-registry.ts";
import { isRemote } from "./place.ts";

/**
 * The servers as workers, and the supervisor, are to have them while a change is under way. One whose processes the supervisor runs stays
 * as it was in the workers until the changed one serves there: workers that came earlier would be given the old one. One that something
 * else is to run stays in the supervisor until the workers have reached it.
 */
export class ServedServers {
  #servers: readonly ResolvedServer[];
  #wanted: readonly ResolvedServer[];

  constructor(servers: readonly ResolvedServer[]) {
    this.#servers = servers;
    this.#wanted = servers;
  }

  /** As workers have them. */
  get servers(): readonly ResolvedServer[] {
    return this.#servers;
  }

  /** A change is under way; returns the servers as the supervisor is to have them. */
  wanted(servers: readonly ResolvedServer[]): readonly ResolvedServer[] {
    this.#wanted = servers;
    const before = new Map(this.#servers.filter((server) => !isRemote(server)).map((server) => [server.name, server]));
    this.#servers = servers.map((server) => (isRemote(server) ? server : (before.get(server.name) ?? server)));
    return servers.map((server) => (isRemote(server) ? (before.get(server.name) ?? server) : server));
  }

  /** Has no later change come? */
  isLatest(servers: readonly ResolvedServer[]): boolean {
    return this.#wanted === servers;
  }

  /** The change is over, but for what the supervisor refuses. False when workers have it already. */
  settle(refused: readonly RefusedChange[]): boolean {
    const names = new Set(refused.map(({ server }) => server));
    const had = new Map(this.#servers.map((server) => [server.name, server]));
    const next = this.#wanted.map((server) => (names.has(server.name) ? (had.get(server.name) ?? server) : server));
    const changed = !isDeepStrictEqual(next, this.#servers);
    this.#servers = next;
    return changed;
  }
}
