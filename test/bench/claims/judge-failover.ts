import type { FailoverFigures } from "../failover.ts";
import type { Aims } from "./aims.ts";
import { type Measured, ratio } from "./verdict.ts";

/** What callers noticed of failures: `failover.ts`. A story that was not told has no figures. */
export function failoverOf(figures: FailoverFigures): Measured<keyof Aims["failover"]> {
  const { failover: phases = [], workersKilled, restart, oneDead } = figures;
  const instances = phases.flatMap((phase) => phase.instances);
  return {
    failed: most(phases.map(({ sent, failed }) => (sent === 0 ? undefined : failed))),
    worst: most(phases.map(({ worstMs }) => worstMs)),
    leftOut: most(instances.map(({ leftOutMs }) => leftOutMs)),
    neverBack:
      instances.length === 0 ? undefined : instances.filter(({ takenBackMs }) => takenBackMs === undefined).length,
    workers: workersKilled?.sent === 0 ? undefined : workersKilled?.failed,
    restart: restart?.failedFirstCalls,
    hangingList: ratio(oneDead?.list.hung.median, oneDead?.list.alive.median),
    hangingCall: ratio(oneDead?.call.hung.median, oneDead?.call.alive.median),
  };
}

/** The largest; undefined when there is none, or one is missing. */
function most(figures: readonly (number | undefined)[]): number | undefined {
  const known = figures.filter((figure) => figure !== undefined);
  return figures.length === 0 || known.length < figures.length ? undefined : Math.max(...known);
}
