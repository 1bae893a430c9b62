import type { FleetStatus } from "../registry/fleet.ts";

/** A fleet as its metrics show it. */
export function gaugesOf({ name, health, instances, inFlight, waiting, restarts }: FleetStatus) {
  return {
    name,
    health: Number(health === "ready"),
    utilization: instances.total / instances.max,
    inFlight,
    waiting,
    restarts,
  };
}
