import { expect, test } from "@jest/globals";
import type { MeasureOptions } from "../../runtime/bench/index.ts";
import { heldOf, loadgenArguments, measurementOf } from "./referee.ts";

const url = "http://127.0.0.1:8080/mcp/echo";
const target = { name: "full", url, headers: { authorization: "Bearer x", "x-tenant": "a" }, pids: [7, 8] };
const line = {
  ...{ sessions: 32, seconds: 2.001, calls: 1000, errors: { "HTTP status 503": 2 }, warm_errors: 1, reconnects: 3 },
  ...{ calls_per_second: 499.75, p50_us: 140, p95_us: 180, p99_us: 205, max_us: 1500, own_cpu_us_per_call: 7.5 },
};

test("a line of the referee's load generator becomes a measurement", () => {
  const measured = {
    ...{ target: "full", sessions: 32, calls: 1000, errors: { "HTTP status 503": 2 }, callsPerSecond: 499.75 },
    ...{ p50Ms: 0.14, p95Ms: 0.18, p99Ms: 0.205, maxMs: 1.5 },
  };
  expect(measurementOf(`${JSON.stringify(line)}\n`, { ...target, pids: [] }, 32)).toEqual(measured);
  const withUsage = { ...line, cpu_us_per_call: 29.4, rss_kb: 81_920 };
  expect(measurementOf(JSON.stringify(withUsage), target, 32)).toEqual({ ...measured, cpuUsPerCall: 29.4, rssMb: 80 });
});

test("the referee's load generator is told all that a measurement asks for", () => {
  const echo = '{"name":"echo","arguments":{"text":"{text}"}}';
  const least: MeasureOptions = {
    target: { ...target, headers: {}, pids: [] },
    call: { params: echo, echoes: true },
    ...{ sessions: 1, durationMs: 4000, warmMs: 500 },
  };
  const always = ["--seconds", "4", "--warm", "0.5"];
  const asked = ["--url", url, "--params", echo];
  expect(loadgenArguments(least)).toEqual(["bench", "--sessions", "1", ...always, ...asked]);
  const call = { params: echo, echoes: false, minBytes: 100, events: 10 };
  expect(loadgenArguments({ ...least, target, call, sessions: 32, rate: 700 })).toEqual([
    ...["bench", "--sessions", "32", ...always, "--rate", "700", ...asked, "--pid", "7,8"],
    ...["--header", "authorization: Bearer x", "--header", "x-tenant: a"],
    ...["--no-echo", "--min-bytes", "100", "--events", "10"],
  ]);
});

test("memory of held sessions is taken only when each of them answered twice", () => {
  const said = {
    ...{ sessions: 1000, opened: 1000, second_ok: 1000, errors: {}, open_seconds: 0.5, kb_per_session: 7 },
    ...{ rss_before_kb: 100_000, rss_held_kb: 107_000, rss_closed_kb: 103_000 },
  };
  expect(heldOf(`${JSON.stringify(said)}\n`)).toEqual({ startKb: 100_000, withOpenKb: 107_000, closedKb: 103_000 });
  const errors = { "second call: HTTP status 404": 1 };
  expect(() => heldOf(JSON.stringify({ ...said, second_ok: 999, errors }))).toThrow(
    new Error('999 of 1000 sessions answered twice: {"second call: HTTP status 404":1}'),
  );
});
