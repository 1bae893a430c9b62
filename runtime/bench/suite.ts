import { type Measurement, type MeasureOptions, measure as ownMeasure } from "./measure.ts";
import type { CallSpec, Target } from "./target.ts";

/** A whole run: every target at every number of sessions, in rounds. */
export interface SuiteOptions {
  readonly targets: readonly Target[];
  readonly call: (target: Target) => CallSpec;
  readonly sessions: readonly number[];
  readonly rounds: number;
  readonly durationMs: number;
  readonly warmMs: number;
  readonly threads?: number;
  /** Who measures. Defaults to the load generator of this folder. */
  readonly measure?: (options: MeasureOptions) => Promise<Measurement>;
  /** Told of every measurement as it is made. */
  readonly onMeasured: (measurement: Measurement, round: number) => void;
}

/** Measures in interleaved rounds, the order of the targets rotated in each: what else the machine does meets all of them. */
export async function runSuite(options: SuiteOptions): Promise<readonly Measurement[]> {
  const { targets, call, sessions, rounds, durationMs, warmMs, threads, measure = ownMeasure, onMeasured } = options;
  const all: Measurement[] = [];
  for (let round = 0; round < rounds; round += 1) {
    for (const count of sessions) {
      for (let turn = 0; turn < targets.length; turn += 1) {
        const target = targets[(turn + round) % targets.length] as Target;
        const one = await measure({
          ...{ target, call: call(target), sessions: count, durationMs, warmMs },
          ...(threads === undefined ? {} : { threads }),
        });
        all.push(one);
        onMeasured(one, round);
      }
    }
  }
  return targets.flatMap(({ name }) =>
    sessions.map((count) => medianOf(all.filter((one) => one.target === name && one.sessions === count))),
  );
}

/** The median of each figure over the rounds; calls and errors are summed. */
export function medianOf(rounds: readonly Measurement[]): Measurement {
  const [first] = rounds as readonly [Measurement];
  const middle = (figure: (one: Measurement) => number) => median(rounds.map(figure));
  const errors: Record<string, number> = {};
  for (const one of rounds) {
    for (const [text, times] of Object.entries(one.errors)) errors[text] = (errors[text] ?? 0) + times;
  }
  return {
    ...{ target: first.target, sessions: first.sessions, errors },
    calls: rounds.reduce((sum, one) => sum + one.calls, 0),
    callsPerSecond: middle((one) => one.callsPerSecond),
    p50Ms: middle((one) => one.p50Ms),
    p95Ms: middle((one) => one.p95Ms),
    p99Ms: middle((one) => one.p99Ms),
    maxMs: Math.max(...rounds.map((one) => one.maxMs)),
    ...(first.cpuUsPerCall === undefined ? {} : { cpuUsPerCall: middle((one) => one.cpuUsPerCall ?? 0) }),
    ...(first.rssMb === undefined ? {} : { rssMb: middle((one) => one.rssMb ?? 0) }),
  };
}

/** The median; of an even number of figures the mean of the two in the middle. */
export function median(figures: readonly number[]): number {
  const sorted = [...figures].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  const upper = sorted[half] as number;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[half - 1] as number)) / 2;
}
