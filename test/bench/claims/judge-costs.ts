import { errorCount, type Measurement } from "../../../runtime/bench/index.ts";
import type { LatencyRow, Times } from "../latency-pair.ts";
import type { Aims } from "./aims.ts";
import { type Measured, ratio } from "./verdict.ts";

/** What `latency.ts` writes, as far as a claim is about it. */
export interface LatencyFigures {
  /** Wrong answers and how often. */
  readonly errors: readonly (readonly [string, number])[];
  /** One session; then 70 % of saturation, and nginx at 70 % of its own where it is installed. */
  readonly rows: readonly Pick<LatencyRow, "direct" | "proxied">[];
}

const busy = 32;

/** The price of a call: `main.ts --only direct,parse,full,workers`. */
export function priceOf(measurements: readonly Measurement[]): Measured<keyof Aims["price"]> {
  const cpu = (target: string) => cpuOf(measurements, target, busy);
  const gain = ratio(cpu("full"), cpu("workers"));
  return {
    cpu: ratio(cpu("full"), cpu("parse")),
    workers: gain === undefined ? undefined : 2 * gain,
    wrong: wrongIn(measurements),
  };
}

/** What the gateway adds to a call's time: `latency.ts`. */
export function latencyOf({ errors, rows: [alone, loaded, nginx] }: LatencyFigures): Measured<keyof Aims["latency"]> {
  const tail = (row: typeof loaded) => ratio(row?.proxied.p99Ms, row?.direct.p99Ms);
  return {
    p50: added(alone, "p50Ms"),
    p99: added(alone, "p99Ms"),
    busy: tail(loaded),
    besideNginx: ratio(tail(loaded), tail(nginx)),
    wrong: errors.reduce((sum, [, times]) => sum + times, 0),
  };
}

/** What a call costs that is answered without the server, or by a child: `stages.ts`. */
export function stagesOf(measurements: readonly Measurement[]): Measured<keyof Aims["stages"]> {
  const cpu = (target: string) => cpuOf(measurements, target, busy);
  return {
    cached: ratio(cpu("cached"), cpu("proxied")),
    coalesced: ratio(cpu("coalesced"), cpu("proxied")),
    stdio: of(measurements, "stdio", busy)?.callsPerSecond,
    stdioCore: ratio(1e6, cpu("stdio")),
    wrong: wrongIn(measurements),
  };
}

/** What large answers cost beside a pipe: `main.ts --only pipe,full --sessions 4`. */
export function relayOf(measurements: readonly Measurement[]): Measured<keyof Aims["bytes"]> {
  const cpu = (target: string) => cpuOf(measurements, target, 4);
  return { cpu: ratio(cpu("full"), cpu("pipe")), wrong: wrongIn(measurements) };
}

function of(measurements: readonly Measurement[], name: string, count: number): Measurement | undefined {
  return measurements.find(({ target, sessions, calls }) => target === name && sessions === count && calls > 0);
}

function cpuOf(measurements: readonly Measurement[], target: string, sessions: number): number | undefined {
  return of(measurements, target, sessions)?.cpuUsPerCall;
}

function wrongIn(measurements: readonly Measurement[]): number | undefined {
  if (measurements.length === 0) return undefined;
  return measurements.reduce((sum, one) => sum + errorCount(one), 0);
}

/** A server that answered nothing has no latency to add to. */
function added(row: LatencyFigures["rows"][number] | undefined, of: keyof Times): number | undefined {
  return row === undefined || row.direct[of] === 0 || row.proxied[of] === 0
    ? undefined
    : row.proxied[of] - row.direct[of];
}
