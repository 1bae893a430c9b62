import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import { CircuitBreaker, type CircuitBreakerOptions } from "../../../../runtime/registry/resilience/circuit-breaker.ts";

// The window is the library's own, by the system's clock.
beforeEach(() => {
  jest.useFakeTimers({ now: 1_000_000, doNotFake: ["setImmediate", "nextTick", "queueMicrotask"] });
});
afterEach(() => {
  jest.useRealTimers();
});

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

function circuit(more: Partial<CircuitBreakerOptions> = {}) {
  const clock = { time: 0 };
  const states: string[] = [];
  const breaker = new CircuitBreaker({
    ...{ errorPercent: 50, slowCallMs: undefined, slowPercent: 80, windowMs: 10_000, minimumCalls: 10, openMs: 5000 },
    ...{ now: () => clock.time, onChange: ({ state }) => states.push(state), ...more },
  });
  const record = async (failed: boolean, times = 1, ms = 1) => {
    for (let call = 0; call < times; call += 1) breaker.record(failed, ms, breaker.begin());
    await settled();
  };
  return { breaker, clock, states, record };
}

test("fewer calls than the minimum say nothing, even if all fail", async () => {
  const { breaker, record } = circuit();
  await record(true, 9);
  expect([breaker.state, breaker.admits()]).toEqual(["closed", true]);
});

test("it opens when more than the share of the calls fail, and says why and for how long", async () => {
  const { breaker, clock, record } = circuit();
  await record(false, 10);
  await record(true, 10);
  expect(breaker.state).toBe("closed");
  await record(true);
  expect([breaker.state, breaker.admits(), breaker.reason]).toEqual([
    "open",
    false,
    "more than 50 % of its calls failed",
  ]);
  clock.time = 1000;
  expect(breaker.retryAfterMs).toBe(4000);
});

test("after its time one call at a time may try; a good one closes it", async () => {
  const { breaker, clock, states, record } = circuit();
  await record(true, 10);
  clock.time = 5000;
  expect(breaker.admits()).toBe(true);
  expect(breaker.begin()).toBe(true);
  expect(breaker.admits()).toBe(false);
  breaker.record(false, 1, true);
  await settled();
  expect([breaker.state, breaker.reason, breaker.retryAfterMs]).toEqual(["closed", undefined, 0]);
  expect(states).toEqual(["open", "half-open", "closed"]);
  // And it counts from the beginning, which was that call.
  await record(true, 8);
  expect(breaker.state).toBe("closed");
});

test("a trial that fails doubles its time, up to a minute; a good one makes it short again", async () => {
  const { breaker, clock, record } = circuit();
  await record(true, 10);
  const times: number[] = [];
  for (let trial = 0; trial < 5; trial += 1) {
    clock.time += breaker.retryAfterMs;
    await record(true);
    times.push(breaker.retryAfterMs);
  }
  expect(times).toEqual([10_000, 20_000, 40_000, 60_000, 60_000]);
  clock.time += 60_000;
  await record(false);
  await record(true, 9);
  expect(breaker.retryAfterMs).toBe(5000);
});

test("what was under way when it opened is not counted, and a trial without a verdict leaves it open for the next", async () => {
  const { breaker, clock, record } = circuit();
  await record(true, 10);
  breaker.record(false, 1, false);
  await settled();
  expect(breaker.state).toBe("open");
  clock.time = 5000;
  breaker.record(undefined, 1, breaker.begin());
  expect([breaker.state, breaker.admits()]).toEqual(["open", true]);
});

test("slow calls open it too", async () => {
  const { breaker, clock, record } = circuit({ slowCallMs: 100 });
  await record(false, 2, 50);
  await record(false, 8, 200);
  expect(breaker.state).toBe("closed");
  await record(false, 10, 200);
  expect([breaker.state, breaker.reason]).toEqual(["open", "more than 80 % of its calls took over 100 ms"]);
  clock.time = 5000;
  await record(false, 1, 200);
  expect(breaker.state).toBe("open");
  clock.time += breaker.retryAfterMs;
  await record(false, 1, 20);
  expect(breaker.state).toBe("closed");
});

test("reset closes it and forgets what was counted", async () => {
  const { breaker, record } = circuit();
  await record(true, 10);
  breaker.reset();
  expect([breaker.state, breaker.admits()]).toEqual(["closed", true]);
  await record(true, 9);
  expect(breaker.state).toBe("closed");
});
