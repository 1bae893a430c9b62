import type { FairnessFigures } from "../fairness.ts";
import type { OverloadFigures } from "../overload.ts";
import type { SessionsFigures } from "../sessions.ts";
import type { SoakFigures } from "../soak.ts";
import type { Aims } from "./aims.ts";
import { type Measured, ratio } from "./verdict.ts";

/** Memory of sessions: `sessions.ts`. */
export function sessionsOf(figures: SessionsFigures): Measured<keyof Aims["sessions"]> {
  return {
    open: figures.kbPerOpenSession,
    idle: figures.kbPerIdleSession,
    active: figures.errorsAt1000Active,
    returned: figures.afterOverBefore,
  };
}

/** Trends of what the gateway holds: `soak.ts`. */
export function soakOf({ sessions, lines, wrongCount }: SoakFigures): Measured<keyof Aims["soak"]> {
  // No line of a soak says anything in which no session came and went.
  const grown = (line: string) => (sessions === 0 ? undefined : lines.find(({ name }) => name === line)?.grown);
  return {
    sessions: grown("sessions"),
    descriptors: grown("descriptors"),
    handles: grown("handles"),
    children: grown("children"),
    heapMb: grown("heapMb"),
    wrong: wrongCount,
  };
}

/** Five times what a server can answer: `overload.ts`. */
export function overloadOf({ maximum, overload, after }: OverloadFigures): Measured<keyof Aims["overload"]> {
  return {
    useful: ratio(overload.goodPerSecond, maximum.goodPerSecond),
    refused: overload.refused === 0 ? undefined : overload.refusedMs.p99,
    failed: overload.failedOtherwise,
    memory: overload.rssMb - maximum.rssMb,
    recovered: after.goodPerSecond === 0 ? undefined : after.refused + after.failedOtherwise,
  };
}

/** Low calls beside critical ones: `fairness.ts`. */
export function fairnessOf({ critical, lowPercent }: FairnessFigures): Measured<keyof Aims["fairness"]> {
  return { low: critical === 0 ? undefined : lowPercent };
}
