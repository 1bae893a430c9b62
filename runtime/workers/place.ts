import type { Fleet } from "../registry/fleet.ts";
import type { Roster } from "./roster.ts";

/** The slot of the supervisor, which serves no clients and runs the servers' processes. */
export const supervisorSlot = -1;

/** A process's place among those that share one port. */
export interface Place {
  readonly roster: Roster;
  /** How many workers there are. */
  readonly workers: number;
  /** Unix socket on which this process takes forwarded requests and questions of the others. */
  readonly socket: string;
  /** Unix socket on which the supervisor lends out the servers' processes. */
  readonly processes: string;
}

type FleetServer = Fleet["server"];

/** Calls that one link to the supervisor takes before the worker would open another one: never. */
const unbounded = Number.MAX_SAFE_INTEGER;

/**
 * What a fleet is in this process. Processes belong to the supervisor, where `scaling` bounds them for the whole gateway; workers open
 * links to it. Sessions with servers that something else runs belong to the workers, which divide the bounds.
 */
export function fleetAt({ roster, workers }: Place, server: FleetServer): FleetServer {
  const { scaling, isolation } = server;
  if (roster.slot === supervisorSlot) {
    // Links name what they are leased to, whether a caller or a session. Whose answers are kept, and who goes first, is settled by workers.
    const { queue: _ofWorkers, ...rest } = server;
    return {
      ...rest,
      // Names have been judged as they stand: another look at aliases could make others of them.
      tools: { deny: [], aliases: {} },
      isolation: isolation === "caller" ? "session" : isolation,
      cache: off(server.cache),
      coalescing: off(server.coalescing),
    };
  }
  if (isRemote(server)) {
    const share = (instances: number) => Math.ceil(instances / workers);
    const { minInstances, maxInstances } = scaling;
    return { ...server, scaling: { ...scaling, minInstances: share(minInstances), maxInstances: share(maxInstances) } };
  }
  return isolation === "shared"
    ? // The supervisor has the processes, and measures them.
      { ...server, scaling: { minInstances: 1, maxInstances: 1, targetInFlight: unbounded } }
    : { ...server, scaling: { ...scaling, minInstances: 0 } };
}

/** Does this process have this fleet at all? The supervisor has only those of processes. */
export function hasFleet({ roster }: Place, server: FleetServer): boolean {
  return roster.slot !== supervisorSlot || !isRemote(server);
}

/** Does something else than the gateway run its instances? */
export function isRemote({ endpoints, discovery }: Pick<FleetServer, "endpoints" | "discovery">): boolean {
  return endpoints !== undefined || discovery !== undefined;
}

const off = <T extends { readonly enabled: boolean }>(settings: T): T => ({ ...settings, enabled: false });

/** What only workers count: their links to the supervisor would count the same calls again. */
const ofWorkers = /^mcp_(request|error|batch|sessions)/;

/** Does this process report this metric, in prom-client's JSON? */
export function ownMetric({ roster }: Place, metric: object): boolean {
  return roster.slot !== supervisorSlot || !ofWorkers.test((metric as { name: string }).name);
}
