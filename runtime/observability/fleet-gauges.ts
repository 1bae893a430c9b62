import type { Fleet } from "../registry/fleet.ts";

/** A fleet as its metrics show it. */
export function gaugesOf(fleet: Fleet) {
  const { name, health, inFlight, waiting, restarts } = fleet.status();
  const pressure = fleet.pressure();
  return {
    name,
    health: Number(health === "ready"),
    utilization: pressure.utilization,
    inFlight,
    waiting: waiting + pressure.waiting,
    restarts,
  };
}
