import Table from "cli-table3";
import type { Measurement } from "./measure.ts";

/** Measurements as a table for people; `base` is the target that the others' CPU is compared with. */
export function benchTable(measurements: readonly Measurement[], base?: string): string {
  const table = new Table({
    head: ["target", "sessions", "calls/s", "p50 ms", "p95 ms", "p99 ms", "CPU µs/call", "ratio", "RSS MB", "errors"],
    colAligns: ["left", ...Array(9).fill("right")],
    style: { head: [], border: [] },
  });
  for (const one of measurements) {
    const floor = measurements.find(({ target, sessions }) => target === base && sessions === one.sessions);
    const ratio = floor?.cpuUsPerCall && one.cpuUsPerCall ? (one.cpuUsPerCall / floor.cpuUsPerCall).toFixed(2) : "–";
    table.push([
      one.target,
      one.sessions,
      Math.round(one.callsPerSecond),
      one.p50Ms.toFixed(2),
      one.p95Ms.toFixed(2),
      one.p99Ms.toFixed(2),
      one.cpuUsPerCall?.toFixed(1) ?? "–",
      ratio,
      one.rssMb?.toFixed(0) ?? "–",
      errorCount(one),
    ]);
  }
  return table.toString();
}

/** Wrong answers of a measurement. */
export function errorCount({ errors }: Measurement): number {
  return Object.values(errors).reduce((sum, times) => sum + times, 0);
}
