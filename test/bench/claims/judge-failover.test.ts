import { expect, test } from "@jest/globals";
import type { FailoverFigures } from "../failover.ts";
import { failoverOf } from "./judge-failover.ts";

const phase = (
  name: string,
  failed: number,
  worstMs: number,
  instances: { leftOutMs?: number; takenBackMs?: number }[],
) => ({
  ...{ name, sent: 1000, failed, retried: 2, worstMs, instances },
});
const spread = (median: number) => ({ median, least: median - 0.5, most: median + 4 });
const tails = { list: 1, call: 1 };
const figures: FailoverFigures = {
  failover: [
    phase("nothing happens", 0, 12, []),
    phase("killed", 0, 22, [{ leftOutMs: 10, takenBackMs: 2014 }]),
    phase("all", 0, 3439, [
      { leftOutMs: 1357, takenBackMs: 1051 },
      { leftOutMs: 9, takenBackMs: 2014 },
    ]),
  ],
  workersKilled: { kills: 6, sent: 49_695, failed: 0, worstMs: 44, errors: [] },
  restart: { sessions: 50, failedFirstCalls: 0, medianMs: 2, worstMs: 8 },
  oneDead: {
    ...{ list: { alive: spread(0.8), hung: spread(0.6) }, call: { alive: spread(1), hung: spread(1.25) } },
    ...{ rounds: [{ alive: tails, hung: tails }], killed: tails },
  },
};

test("the worst of all phases counts, and medians of the rounds", () => {
  expect(failoverOf(figures)).toEqual({
    ...{ failed: 0, worst: 3439, leftOut: 1357, neverBack: 0, workers: 0, restart: 0 },
    ...{ hangingList: 0.6 / 0.8, hangingCall: 1.25 },
  });
});

test("failures of any phase count, and instances that were not left out or not taken back", () => {
  const phases = [phase("hung", 3, 10_005, [{ takenBackMs: 5 }]), phase("slow", 1, 20, [{ leftOutMs: 1300 }])];
  const workersKilled = { kills: 6, sent: 100, failed: 4, worstMs: 44, errors: ["ECONNRESET"] };
  const restart = { sessions: 50, failedFirstCalls: 7, medianMs: 2, worstMs: 8 };
  expect(failoverOf({ ...figures, failover: phases, workersKilled, restart })).toEqual({
    ...{ failed: 3, worst: 10_005, leftOut: undefined, neverBack: 1, workers: 4, restart: 7 },
    ...{ hangingList: 0.6 / 0.8, hangingCall: 1.25 },
  });
});

test("a story that was not told has no figures, and no calls are none that did not fail", () => {
  const nothing = {
    ...{ failed: undefined, worst: undefined, leftOut: undefined, neverBack: undefined, workers: undefined },
    ...{ restart: undefined, hangingList: undefined, hangingCall: undefined },
  };
  expect(failoverOf({})).toEqual(nothing);
  const idle = { ...phase("nothing happens", 0, 0, []), sent: 0 };
  const workersKilled = { kills: 6, sent: 0, failed: 0, worstMs: 0, errors: [] };
  expect(failoverOf({ failover: [idle], workersKilled })).toEqual({ ...nothing, worst: 0 });
});
