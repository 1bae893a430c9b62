import type { FleetHealth, FleetStatus } from "../registry/fleet-status.ts";

/** The worst of all counts, but workers that rest take nothing from one that serves. */
const order: readonly FleetHealth[] = ["failed", "ready", "starting", "idle"];

/**
 * One status per fleet from those of all processes, in the order of their names. What runs as processes is the supervisor's alone, whose
 * statuses are given apart; the rest is summed.
 */
export function mergedStatus(
  workers: readonly (readonly FleetStatus[])[],
  supervisor: readonly FleetStatus[],
): readonly FleetStatus[] {
  const parts = new Map<string, FleetStatus[]>();
  for (const status of workers.flat()) parts.set(status.name, [...(parts.get(status.name) ?? []), status]);
  // Workers try what something else is to run instead.
  const own = new Map(
    supervisor.map((status) => [status.name, { ...status, ...refusedOf([status, ...(parts.get(status.name) ?? [])]) }]),
  );
  for (const name of own.keys()) parts.delete(name);
  const merged = [...own.values(), ...[...parts.values()].map(mergeFleet)];
  return merged.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function mergeFleet(parts: readonly FleetStatus[]): FleetStatus {
  const [first] = parts as readonly [FleetStatus];
  const sum = (read: (status: FleetStatus) => number) => parts.reduce((total, status) => total + read(status), 0);
  const known = parts.map(({ startupMs }) => startupMs).filter((ms) => ms !== null);
  const error = parts.find((status) => status.error !== undefined)?.error;
  const { earlier: _ofOne, refused: _too, ...rest } = first;
  return {
    ...rest,
    instances: {
      ready: sum(({ instances }) => instances.ready),
      total: sum(({ instances }) => instances.total),
      max: sum(({ instances }) => instances.max),
    },
    inFlight: sum(({ inFlight }) => inFlight),
    waiting: sum(({ waiting }) => waiting),
    restarts: sum(({ restarts }) => restarts),
    health: order.find((health) => parts.some((status) => status.health === health)) as FleetHealth,
    tools: parts.find(({ tools }) => tools !== null)?.tools ?? null,
    startupMs: known.length === 0 ? null : Math.min(...known),
    ...(error === undefined ? {} : { error }),
    ...earlierOf(parts),
    ...refusedOf(parts),
  };
}

function earlierOf(parts: readonly FleetStatus[]): Pick<FleetStatus, "earlier"> {
  const all = parts.map(({ earlier }) => earlier).filter((earlier) => earlier !== undefined);
  if (all.length === 0) return {};
  const sum = (of: "clients" | "inFlight") => all.reduce((total, one) => total + one[of], 0);
  return { earlier: { clients: sum("clients"), inFlight: sum("inFlight") } };
}

function refusedOf(parts: readonly FleetStatus[]): Pick<FleetStatus, "refused"> {
  const refused = parts.find((status) => status.refused !== undefined)?.refused;
  return refused === undefined ? {} : { refused };
}
