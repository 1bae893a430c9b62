import { expect, test } from "@jest/globals";
import type { Measurement } from "../../../runtime/bench/index.ts";
import { median, medianOf, runSuite } from "../../../runtime/bench/index.ts";

const one = (callsPerSecond: number, cpuUsPerCall: number, errors = {}): Measurement => ({
  ...{ target: "gateway", sessions: 8, calls: 10, errors, callsPerSecond, cpuUsPerCall, rssMb: 80 },
  ...{ p50Ms: callsPerSecond / 10, p95Ms: 2, p99Ms: 3, maxMs: callsPerSecond },
});

test("the median of rounds is the middle one, and the mean of two in the middle", () => {
  expect([median([3, 1, 2]), median([4, 1, 3, 2]), median([5])]).toEqual([2, 2.5, 5]);
});

test("rounds become one row: medians of figures, sums of calls and errors, the worst latency", () => {
  expect(
    medianOf([one(100, 90, { "HTTP status 500": 1 }), one(300, 70), one(200, 80, { "HTTP status 500": 2 })]),
  ).toEqual({
    ...{ target: "gateway", sessions: 8, calls: 30, errors: { "HTTP status 500": 3 } },
    ...{ callsPerSecond: 200, cpuUsPerCall: 80, rssMb: 80, p50Ms: 20, p95Ms: 2, p99Ms: 3, maxMs: 300 },
  });
});

test("another load generator can measure; the order of the targets is rotated in each round", async () => {
  const target = (name: string) => ({ name, url: `http://127.0.0.1/${name}`, headers: {}, pids: [] });
  const targets = [target("a"), target("b"), target("c")];
  const asked: string[] = [];
  const told: string[] = [];
  const medians = await runSuite({
    ...{ targets, sessions: [1, 8], rounds: 2, durationMs: 300, warmMs: 100 },
    call: ({ name }) => ({ params: name, echoes: true }),
    measure: async ({ target, call, sessions, durationMs, warmMs }) => {
      asked.push(`${target.name} ${call.params} ${sessions} ${durationMs} ${warmMs}`);
      return { ...one(asked.length, 1), target: target.name, sessions };
    },
    onMeasured: ({ target, sessions }, round) => told.push(`${target} ${sessions} ${round}`),
  });
  expect(asked).toEqual([
    ...["a a 1 300 100", "b b 1 300 100", "c c 1 300 100", "a a 8 300 100", "b b 8 300 100", "c c 8 300 100"],
    ...["b b 1 300 100", "c c 1 300 100", "a a 1 300 100", "b b 8 300 100", "c c 8 300 100", "a a 8 300 100"],
  ]);
  expect(told).toEqual([
    ...["a 1 0", "b 1 0", "c 1 0", "a 8 0", "b 8 0", "c 8 0"],
    ...["b 1 1", "c 1 1", "a 1 1", "b 8 1", "c 8 1", "a 8 1"],
  ]);
  expect(medians.map(({ target, sessions, callsPerSecond }) => [target, sessions, callsPerSecond])).toEqual([
    ...[
      ["a", 1, 5],
      ["a", 8, 8],
      ["b", 1, 4.5],
      ["b", 8, 7.5],
      ["c", 1, 5.5],
      ["c", 8, 8.5],
    ],
  ]);
});
