import type { ServerDescription } from "../upstreams/upstream-session.ts";
import type { Fleet } from "./fleet.ts";
import { shownServer } from "./instance.ts";
import type { InstanceSource } from "./instance-source.ts";

/** Health of a fleet: `ready` serves, `starting` is about to, `failed` says why in `error`, `idle` has been scaled to zero. */
export type FleetHealth = "ready" | "starting" | "failed" | "idle";

/** A fleet as operators see it. */
export interface FleetStatus {
  readonly name: string;
  readonly type: string;
  /** Of a preset its package's version, which the server may not know; of another server what it says of itself. */
  readonly version: string;
  readonly isolation: string;
  readonly source: string;
  readonly instances: { readonly ready: number; readonly total: number; readonly max: number };
  readonly inFlight: number;
  readonly waiting: number;
  readonly restarts: number;
  readonly health: FleetHealth;
  readonly tools: number | null;
  /** Start of the fastest instance in milliseconds, handshake included. */
  readonly startupMs: number | null;
  readonly error?: string;
  /** Of its forerunners, whose clients go on there. */
  readonly earlier?: EarlierStatus;
  /** Why its last change is not in force. */
  readonly refused?: string;
}

/** What is left of the fleets that served before a change. */
export interface EarlierStatus {
  /** Clients with an instance of their own. */
  readonly clients: number;
  readonly inFlight: number;
}

/** What a fleet knows of itself alone. */
export interface FleetInside {
  readonly source: InstanceSource;
  /** Where instances come from, for people. */
  readonly origin: string;
  readonly description: ServerDescription | undefined;
  readonly startupMs: number | undefined;
  /** Calls that wait before an instance is chosen. */
  readonly waiting: number;
}

/** A fleet as operators see it. */
export function fleetStatus(
  { name, server, inFlight, catalog, refused, generations: { earlier } }: Fleet,
  { source, origin, description, startupMs, waiting }: FleetInside,
): FleetStatus {
  const { instances } = source;
  // An open session says nothing of an instance that has ended or hangs since.
  const ready = instances.filter(({ state, backend: at }) => state === "ready" && at.ready && !at.unhealthy).length;
  const failed = instances.findLast(({ lastError }) => lastError !== undefined);
  const reason = failed?.lastError?.message ?? instances.find(({ backend }) => backend.unhealthy)?.backend.reason;
  const health = healthOf(ready, instances.length, reason, description !== undefined);
  return {
    name,
    type: server.type,
    version: server.version ?? (description && shownServer(description.serverInfo).version) ?? "unknown",
    isolation: server.isolation,
    source: origin,
    instances: { ready, total: instances.length, max: server.scaling.maxInstances },
    inFlight,
    waiting: source.waiting + waiting,
    restarts: instances.reduce((sum, { restarts }) => sum + restarts, 0),
    health,
    tools: catalog.toolCount ?? null,
    startupMs: startupMs ?? null,
    ...(health === "failed" && reason !== undefined ? { error: reason } : {}),
    ...(earlier === undefined ? {} : { earlier }),
    ...(refused === undefined ? {} : { refused }),
  };
}

/** `lost` says why an instance does not serve, if one does not. */
function healthOf(ready: number, total: number, lost: string | undefined, hasServed: boolean): FleetHealth {
  // While a spare instance starts, one that has served before and has lost none is as good as ready.
  if (ready > 0 || (total > 0 && hasServed && lost === undefined)) return "ready";
  if (total === 0) return "idle";
  return lost === undefined ? "starting" : "failed";
}
