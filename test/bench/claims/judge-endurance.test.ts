import { expect, test } from "@jest/globals";
import { fairnessOf, overloadOf, sessionsOf, soakOf } from "./judge-endurance.ts";

test("memory of sessions is judged as it was measured", () => {
  expect(
    sessionsOf({
      ...{ startKb: 100_000, withOpenKb: 107_000, kbPerOpenSession: 7, closedKb: 106_000, withIdleKb: 106_500 },
      ...{ kbPerIdleSession: 0.05, errorsAt1000Active: 2, afterLoadKb: 110_000, afterOverBefore: 1.1 },
    }),
  ).toEqual({ open: 7, idle: 0.05, active: 2, returned: 1.1 });
});

test("a soak is judged by each line's growth and by all wrong answers", () => {
  const line = (name: string, grown: number) => ({ name, first: 1, last: 2, grown, bound: 20, ok: true });
  const lines = ["sessions", "descriptors", "handles", "children", "heapMb"].map((name, at) => line(name, at - 1.5));
  const soak = { seconds: 600, sessions: 200_000, wrong: ["late"], wrongCount: 12, rssMb: 120, lines };
  expect(soakOf(soak)).toEqual({
    ...{ sessions: -1.5, descriptors: -0.5, handles: 0.5, children: 1.5, heapMb: 2.5, wrong: 12 },
  });
  const nothing = { sessions: undefined, descriptors: undefined, handles: undefined };
  expect(soakOf({ ...soak, sessions: 0 })).toEqual({ ...nothing, children: undefined, heapMb: undefined, wrong: 12 });
  expect(soakOf({ ...soak, lines: [], wrongCount: 0 })).toEqual({
    ...nothing,
    ...{ children: undefined, heapMb: undefined, wrong: 0 },
  });
});

test("overload is judged beside the load at capacity; without refusals it was none", () => {
  const load = (goodPerSecond: number, refused: number, failedOtherwise: number, rssMb: number) => ({
    ...{ offeredPerSecond: 40, goodPerSecond, refused, failedOtherwise, rssMb },
    ...{ good: { p50: 100, p99: 110 }, refusedMs: { p50: 0.5, p99: 3.5 } },
  });
  const before = load(20, 0, 0, 160);
  const figures = {
    before,
    maximum: load(40, 0, 0, 168),
    overload: load(36, 9600, 3, 189),
    after: load(20, 1, 2, 189),
  };
  expect(overloadOf(figures)).toEqual({ useful: 0.9, refused: 3.5, failed: 3, memory: 21, recovered: 3 });
  expect(overloadOf({ ...figures, overload: load(36, 0, 0, 168), after: load(0, 0, 0, 168) })).toEqual({
    ...{ useful: 0.9, refused: undefined, failed: 0, memory: 0, recovered: undefined },
  });
});

test("low calls have a share only beside critical ones", () => {
  const figures = { low: 50, lowPercent: 5, minimumPercent: 5, criticalP50Ms: 1, lowP50Ms: 20 };
  expect([fairnessOf({ ...figures, critical: 950 }), fairnessOf({ ...figures, critical: 0 })]).toEqual([
    { low: 5 },
    { low: undefined },
  ]);
});
