import type { Fleet } from "../registry/fleet.ts";

/** A fleet as its metrics show it. */
export function gaugesOf(fleet: Fleet) {
  const { name, health, inFlight, waiting, restarts } = fleet.status();
  const pressure = fleet.pressure();
  return {
    name,
    // A fleet that is scaled to zero is at rest: its next call starts an instance.
    health: Number(health === "ready" || (health === "idle" && fleet.server.scaling.minInstances === 0)),
    utilization: pressure.utilization,
    inFlight,
    waiting: waiting + pressure.waiting,
    restarts,
  };
}
