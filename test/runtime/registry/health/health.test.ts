import { afterEach, expect, test } from "@jest/globals";
import { defaults } from "../../../../runtime/config/index.ts";
import { FleetError } from "../../../../runtime/errors.ts";
import type { Backend } from "../../../../runtime/registry/backend.ts";
import { HealthChecker } from "../../../../runtime/registry/health/health-checker.ts";
import { OutlierDetector } from "../../../../runtime/registry/health/outlier-detector.ts";
import type { Instance } from "../../../../runtime/registry/instance.ts";
import { FakeConnector, settled } from "../../../support/fake-connector.ts";
import { fakeFleet } from "../../../support/fake-instances.ts";

let running: Instance[] = [];
afterEach(async () => {
  await Promise.all(running.map((instance) => instance.stop()));
  running = [];
});

async function fleetOf(count: number) {
  const fleet = fakeFleet(new FakeConnector());
  running = Array.from({ length: count }, () => fleet.create());
  await settled();
  return { ...fleet, backends: running.map(({ backend }) => backend) as [Backend, Backend, Backend, Backend] };
}
const rules = { enabled: true, unhealthyThreshold: 2, healthyThreshold: 3, restartAfter: 4 };

async function checkerOf(count = 1) {
  const fleet = await fleetOf(count);
  const answers = new Map<Backend, string | undefined>();
  const probed: string[] = [];
  const restarted: string[] = [];
  const checker = new HealthChecker({
    check: { ...rules, intervalMs: 1000, timeoutMs: 100 },
    backends: () => fleet.backends,
    probe: async (backend) => {
      probed.push(backend.id);
      return answers.get(backend);
    },
    now: () => fleet.clock.time,
    random: () => 0,
    requestMs: 5000,
    restart: (backend, reason) => void restarted.push(`${backend.id}: ${reason}`),
  });
  const tick = async (time: number) => {
    fleet.clock.time = time;
    checker.tick();
    await settled();
    return probed.splice(0).length;
  };
  // The first look begins the intervals.
  checker.tick();
  return { ...fleet, checker, answers, restarted, tick, first: fleet.backends[0] };
}

test("each instance is checked once in an interval while it is well", async () => {
  const { tick } = await checkerOf(3);
  const checks: number[] = [];
  for (const time of [0, 500, 1000, 1200, 2000]) checks.push(await tick(time));
  expect(checks).toEqual([0, 0, 3, 0, 3]);
});

test("a failed check is repeated at once, so that one interval is enough for a verdict; events tell why", async () => {
  const { first, answers, tick, events } = await checkerOf();
  answers.set(first, "no answer");
  expect(await tick(1000)).toBe(2);
  expect([first.state, first.reason]).toEqual(["unhealthy", "2 checks failed: no answer"]);
  answers.delete(first);
  expect(await tick(2000)).toBe(3);
  expect(first.state).toBe("ready");
  expect(events).toEqual([
    { event: "unhealthy", instance: "fake-1", reason: "2 checks failed: no answer" },
    { event: "healthy", instance: "fake-1" },
  ]);
});

test("an instance whose calls are not answered is checked before its interval is over", async () => {
  const { first, tick } = await checkerOf();
  await tick(1000);
  first.began(1100);
  expect([await tick(1200), await tick(1360)]).toEqual([0, 1]);
  expect(await tick(1400)).toBe(0);
});

test("a process that goes on failing is started anew", async () => {
  const { first, answers, tick, restarted } = await checkerOf();
  answers.set(first, "no answer");
  await tick(1000);
  expect(restarted).toEqual([]);
  await tick(2000);
  await tick(3000);
  expect(restarted).toEqual(["fake-1: no answer"]);
});

test("a process is not started anew under a call that has time left, and is when all that it owes is past its deadline", async () => {
  const { first, answers, tick, restarted } = await checkerOf();
  answers.set(first, "no answer");
  first.began(500);
  for (const time of [1000, 2000, 3000, 4000, 5000]) await tick(time);
  expect(restarted).toEqual([]);
  // A second call came in time: it keeps its own time though the first one is over.
  first.began(5000);
  await tick(5600);
  first.failed(new FleetError("REQUEST_TIMEOUT", "late"), 5100, false);
  await tick(6600);
  expect(restarted).toEqual([]);
  // This one came when the silence had lasted too long already.
  first.began(7000);
  await tick(8000);
  expect(restarted).toEqual([]);
  const began = 5000;
  const time = 10_000;
  first.failed(new FleetError("REQUEST_TIMEOUT", "late"), 8000 - began, false);
  await tick(time);
  expect(restarted).toEqual(["fake-1: no answer"]);
});

test("any message is a sign of life: the time of a silent process begins anew", async () => {
  const { first, answers, tick, restarted, clock } = await checkerOf();
  answers.set(first, "no answer");
  first.began(0);
  for (const time of [1000, 2000, 3000, 4000]) await tick(time);
  first.signs.messages += 1;
  await tick(5000);
  await tick(9000);
  expect([restarted, first.signs.silentSince, clock.time]).toEqual([[], 5000, 9000]);
});

test("a server that speaks while its checks fail is asked again at once, and what it keeps for its owners is not lost", async () => {
  const { first, answers, tick } = await checkerOf();
  answers.set(first, "no answer");
  first.began(900);
  await tick(1000);
  expect([first.state, first.lost]).toEqual(["unhealthy", true]);
  first.answered(1100, 200, false);
  expect([first.state, first.lost]).toEqual(["unhealthy", false]);
  answers.delete(first);
  expect([await tick(1200), await tick(1300)]).toEqual([0, 3]);
  expect([first.state, first.lost]).toEqual(["ready", false]);
});

async function detectorOf(count: number, more: { readonly maxEjectedPercent?: number } = {}) {
  const fleet = await fleetOf(count);
  const detector = new OutlierDetector({
    rules: { ...defaults.outlier, ejectionMs: 1000, ...more },
    backends: () => fleet.backends,
    now: () => fleet.clock.time,
  });
  const tick = (time: number) => {
    fleet.clock.time = time;
    detector.tick();
    return fleet.backends.map(({ ejected }) => ejected);
  };
  return { ...fleet, tick };
}
const lost = new FleetError("INSTANCE_LOST", "lost");
const call = (backend: Backend, ms: number, error?: unknown) => {
  const trial = backend.began(0);
  if (error === undefined) backend.answered(0, ms, trial);
  else backend.failed(error, ms, trial);
};

test("an instance whose calls fail one after the other is left out, for longer each time, and taken back", async () => {
  const { backends, tick, events } = await detectorOf(3);
  const fail = () => {
    for (let times = 0; times < 5; times += 1) call(backends[0], 1, lost);
  };
  fail();
  expect(tick(0)).toEqual([true, false, false]);
  expect(tick(999)).toEqual([true, false, false]);
  expect(tick(1000)).toEqual([false, false, false]);
  fail();
  expect([tick(1100)[0], tick(3000)[0], tick(3100)[0]]).toEqual([true, true, false]);
  expect(events.map(({ event, reason }) => [event, reason])).toEqual([
    ["ejected", "5 calls in a row failed"],
    ["returned", undefined],
    ["ejected", "5 calls in a row failed"],
    ["returned", undefined],
  ]);
});

test("one answer in between begins the count anew; a server's own errors and cancelled calls do not count", async () => {
  const { backends, tick } = await detectorOf(2);
  for (let times = 0; times < 4; times += 1) call(backends[0], 1, lost);
  call(backends[0], 1);
  for (let times = 0; times < 4; times += 1) call(backends[0], 1, lost);
  for (let times = 0; times < 9; times += 1) call(backends[1], 1, new FleetError("CANCELLED", "gone"));
  expect(tick(0)).toEqual([false, false]);
});

test("an instance that answers much slower than the others is left out; little slower, or fast anyway, is not", async () => {
  const { backends, tick, events } = await detectorOf(4);
  const speeds = [3000, 450, 40, 50];
  for (let times = 0; times < 10; times += 1) {
    for (const [index, backend] of backends.entries()) call(backend, speeds[index] as number);
  }
  expect(tick(1000)).toEqual([true, false, false, false]);
  expect(events).toEqual([
    { event: "ejected", instance: "fake-1", reason: "it answers in 3000 ms, the others in 50 ms" },
  ]);
});

test("never more than the share of all, and never the last one", async () => {
  const { backends, tick } = await detectorOf(4);
  for (const backend of backends) for (let times = 0; times < 5; times += 1) call(backend, 1, lost);
  expect(tick(0).filter(Boolean)).toHaveLength(2);
  const pair = await detectorOf(2, { maxEjectedPercent: 99 });
  for (const backend of pair.backends) for (let times = 0; times < 5; times += 1) call(backend, 1, lost);
  expect(pair.tick(0)).toEqual([true, false]);
});
