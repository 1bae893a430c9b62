import { expect, test } from "@jest/globals";
import type { Measurement } from "../../../runtime/bench/index.ts";
import { median, medianOf } from "../../../runtime/bench/index.ts";

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
