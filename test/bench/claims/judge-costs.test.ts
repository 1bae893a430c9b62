import { expect, test } from "@jest/globals";
import type { Measurement } from "../../../runtime/bench/index.ts";
import { latencyOf, priceOf, relayOf, stagesOf } from "./judge-costs.ts";

const one = (target: string, sessions: number, cpuUsPerCall: number, more: Partial<Measurement> = {}): Measurement => ({
  ...{ target, sessions, calls: 1000, errors: {}, callsPerSecond: 500, cpuUsPerCall, rssMb: 100 },
  ...{ p50Ms: 1, p95Ms: 2, p99Ms: 3, maxMs: 4 },
  ...more,
});

test("the price of a call is its CPU at 32 sessions beside the parsing proxy's; two workers count twice", () => {
  const full = [one("parse", 1, 10), one("full", 1, 90), one("parse", 32, 40), one("full", 32, 30)];
  const errors = { "status 500": 2, "wrong text": 1 };
  expect(priceOf([...full, one("workers", 32, 32, { errors })])).toEqual({ cpu: 0.75, workers: 1.875, wrong: 3 });
  expect(priceOf(full)).toEqual({ cpu: 0.75, workers: undefined, wrong: 0 });
  const nothing = one("full", 32, 30, { calls: 0, errors: { refused: 9 } });
  expect(priceOf([one("parse", 32, 40), nothing])).toEqual({ cpu: undefined, workers: undefined, wrong: 9 });
  expect(priceOf([])).toEqual({ cpu: undefined, workers: undefined, wrong: undefined });
});

test("latency is what is added alone, and a ratio under load, also beside nginx's", () => {
  const alone = { direct: { p50Ms: 0.5, p99Ms: 1 }, proxied: { p50Ms: 0.75, p99Ms: 2.5 } };
  const busy = { direct: { p50Ms: 1, p99Ms: 2 }, proxied: { p50Ms: 2, p99Ms: 5 } };
  const nginx = { direct: { p50Ms: 1, p99Ms: 2 }, proxied: { p50Ms: 2, p99Ms: 20 } };
  const added = { p50: 0.25, p99: 1.5, busy: 2.5, wrong: 0 };
  expect(latencyOf({ errors: [], rows: [alone, busy, nginx] })).toEqual({ ...added, besideNginx: 0.25 });
  expect(latencyOf({ errors: [], rows: [alone, busy] })).toEqual({ ...added, besideNginx: undefined });
  const none = { p50Ms: 0, p99Ms: 0 };
  const nothing = { p50: undefined, p99: undefined, busy: undefined, besideNginx: undefined };
  const unanswered = { direct: none, proxied: none };
  expect(latencyOf({ errors: [["refused", 4]], rows: [unanswered, unanswered] })).toEqual({ ...nothing, wrong: 4 });
  expect(latencyOf({ errors: [], rows: [] })).toEqual({ ...nothing, wrong: 0 });
});

test("stages are compared with the proxied call; one core does as many calls as its second has room for", () => {
  const measured = [one("proxied", 32, 40), one("cached", 32, 30), one("coalesced", 32, 20)];
  expect(stagesOf([...measured, one("stdio", 32, 50, { callsPerSecond: 12_000, errors: { late: 1 } })])).toEqual({
    ...{ cached: 0.75, coalesced: 0.5, stdio: 12_000, stdioCore: 20_000, wrong: 1 },
  });
  expect(stagesOf(measured.slice(1))).toEqual({
    ...{ cached: undefined, coalesced: undefined, stdio: undefined, stdioCore: undefined, wrong: 0 },
  });
});

test("large answers are compared with a pipe at four sessions", () => {
  expect(relayOf([one("pipe", 4, 1000), one("full", 4, 1250)])).toEqual({ cpu: 1.25, wrong: 0 });
  expect(relayOf([one("pipe", 32, 1000), one("full", 4, 1250)])).toEqual({ cpu: undefined, wrong: 0 });
});
