import { afterEach, expect, test } from "@jest/globals";
import type { Backend } from "../../../../runtime/registry/backend.ts";
import { StallDetector, type StallDetectorOptions } from "../../../../runtime/registry/health/stall-detector.ts";
import type { Instance } from "../../../../runtime/registry/instance.ts";
import type { Attempt } from "../../../../runtime/registry/resilience/movable-call.ts";
import { FakeConnector, settled } from "../../../support/fake-connector.ts";
import { fakeFleet } from "../../../support/fake-instances.ts";

let running: Instance[] = [];
afterEach(async () => {
  await Promise.all(running.map((instance) => instance.stop()));
  running = [];
});

async function detectorOf(more: Partial<StallDetectorOptions> = {}) {
  const fleet = fakeFleet(new FakeConnector());
  running = [fleet.create(), fleet.create()];
  await settled();
  const [first, second] = running.map(({ backend }) => backend) as [Backend, Backend];
  const told: string[] = [];
  const detector = new StallDetector({
    ...{ requestMs: 40_000, attemptMs: undefined, stateful: false, backends: () => [first, second] },
    now: () => fleet.clock.time,
    suspect: ({ id }) => void told.push(`${id} suspected`),
    eject: ({ id }, reason) => void told.push(`${id} ejected: ${reason}`),
    ...more,
  });
  const tick = (time: number) => {
    fleet.clock.time = time;
    detector.tick();
    return told.splice(0);
  };
  /** A call that may be repeated goes out now. */
  const call = (backend: Backend, subject = "read") => {
    const began = fleet.clock.time;
    backend.began(began);
    const attempt = {
      began,
      subject,
      moved: 0,
      move() {
        attempt.moved += 1;
        return attempt.moved === 1;
      },
    };
    backend.movable.add(attempt as unknown as Attempt);
    return attempt;
  };
  const usually = (ms: number) => {
    second.began(0);
    second.answered(ms, ms, false);
  };
  return { detector, first, second, tick, call, usually };
}

test("an instance that is silent for much longer than calls usually take is asked, then left out, and its calls move", async () => {
  const { first, tick, call, usually } = await detectorOf();
  usually(200);
  const attempt = call(first);
  expect(tick(900)).toEqual([]);
  expect(tick(1000)).toEqual(["fake-1 suspected"]);
  expect([tick(1900), attempt.moved]).toEqual([[], 0]);
  expect([tick(2000), attempt.moved]).toEqual([["fake-1 ejected: no answer for 2000 ms"], 1]);
});

test("an instance that answers the ping keeps its slow call", async () => {
  const { first, tick, call, usually } = await detectorOf();
  usually(200);
  const attempt = call(first);
  expect(tick(1000)).toEqual(["fake-1 suspected"]);
  first.signs.spoke(1001, first.inFlight);
  expect([tick(2500), attempt.moved]).toEqual([["fake-1 suspected"], 0]);
});

test("without anything learnt an attempt has a quarter of the call's time, and as configured otherwise", async () => {
  const learnt = await detectorOf();
  const attempt = learnt.call(learnt.first);
  learnt.first.signs.spoke(0, 0);
  learnt.tick(9999);
  expect(attempt.moved).toBe(0);
  expect(learnt.tick(10_000)).toEqual(["fake-1 ejected: it answers pings, and no call for 10000 ms"]);
  expect(attempt.moved).toBe(1);
  const configured = await detectorOf({ attemptMs: 300 });
  const other = configured.call(configured.first);
  configured.first.signs.spoke(0, 0);
  configured.tick(300);
  expect([other.moved, configured.detector.patienceMs, configured.detector.everyMs]).toEqual([1, 300, 75]);
});

test("a tool that usually takes long gets its time", async () => {
  const { detector, first, tick, call } = await detectorOf();
  detector.answered("research", 15_000);
  const [research, read] = [call(first, "research"), call(first, "read")];
  first.signs.spoke(0, 0);
  tick(12_000);
  expect([research.moved, read.moved]).toEqual([0, 1]);
  tick(30_000);
  expect(research.moved).toBe(1);
});

test("where instances keep something for their owners, a call leaves one that answers pings only near its deadline", async () => {
  const { detector, first, tick, call, usually } = await detectorOf({ stateful: true });
  usually(5);
  expect(detector.patienceMs).toBe(10_000);
  const attempt = call(first);
  first.signs.spoke(0, 0);
  tick(29_999);
  expect(attempt.moved).toBe(0);
  tick(30_000);
  expect(attempt.moved).toBe(1);
});

test("the times of no more than 256 slow tools are remembered", async () => {
  const { detector, first, tick, call } = await detectorOf();
  for (let tool = 0; tool < 257; tool += 1) detector.answered(`tool-${tool}`, 20_000);
  const [oldest, newest] = [call(first, "tool-0"), call(first, "tool-256")];
  first.signs.spoke(0, 0);
  tick(10_000);
  expect([oldest.moved, newest.moved]).toEqual([1, 0]);
});
