import { afterEach, expect, jest, test } from "@jest/globals";
import { Exchange } from "../../../../runtime/protocol/exchange.ts";
import type { RpcReply } from "../../../../runtime/protocol/json-rpc.ts";
import { AdaptiveLimit } from "../../../../runtime/registry/resilience/adaptive-limit.ts";
import {
  ConcurrencyLimit,
  type ConcurrencyLimitOptions,
} from "../../../../runtime/registry/resilience/concurrency-limit.ts";
import { settled } from "../../../support/fake-connector.ts";

afterEach(() => {
  jest.useRealTimers();
});

function set(more: Partial<ConcurrencyLimitOptions> = {}) {
  const sent: { n: unknown; end: (reply: RpcReply) => void; fail: (error: Error) => void }[] = [];
  let shed = 0;
  const limit = new ConcurrencyLimit({
    ...{ fleet: "echo", maxInFlight: 2, maxQueue: 2, queueMs: 1000, adaptive: undefined, now: () => 0 },
    onShed: () => {
      shed += 1;
    },
    ...more,
  });
  const through = limit.around((_client, _method, params) => {
    const { promise, resolve, reject } = Promise.withResolvers<RpcReply>();
    sent.push({ n: params?.n, end: resolve, fail: reject });
    return promise;
  });
  const call = (n: number, exchange = new Exchange(60_000)) =>
    through({ owner: "anna", caller: undefined }, "tools/call", { n }, exchange).catch((error) => error);
  return { limit, call, sent, shed: () => shed, order: () => sent.map(({ n }) => n) };
}

test("so many at a time; the next ones wait in order, and one leaves its place also when it fails", async () => {
  const { call, sent, order, limit } = set();
  const calls = [1, 2, 3, 4].map((n) => call(n));
  await settled();
  expect([order(), limit.waiting]).toEqual([[1, 2], 2]);
  sent[1]?.fail(new Error("broken"));
  await settled();
  expect(order()).toEqual([1, 2, 3]);
  for (let n = 0; n < 4; n += 1) {
    sent[n]?.end({ result: n });
    await settled();
  }
  expect(await Promise.all(calls)).toEqual([{ result: 0 }, new Error("broken"), { result: 2 }, { result: 3 }]);
  expect([limit.inFlight, limit.waiting]).toEqual([0, 0]);
});

test("what the queue cannot take is refused at once, with a retryable error", async () => {
  const { call, shed } = set();
  for (const n of [1, 2, 3, 4]) void call(n);
  const refused = await call(5);
  expect([refused.code, refused.message, refused.kind.retryable, refused.data, shed()]).toEqual([
    "OVERLOADED",
    "echo: 2 calls in flight and 2 waiting; call again later, or raise concurrency of this server if it can take more",
    true,
    { retryAfterMs: 1000 },
    1,
  ]);
});

test("nobody waits longer than queueMs, or than is left of the call's own time", async () => {
  jest.useFakeTimers({ doNotFake: ["setImmediate", "nextTick"] });
  const { call, limit } = set();
  for (const n of [1, 2]) void call(n);
  const [long, short] = [call(3), call(4, new Exchange(200))];
  jest.advanceTimersByTime(200);
  expect((await short).message).toContain("no place within 200 ms");
  jest.advanceTimersByTime(800);
  expect((await long).message).toContain("no place within 1000 ms");
  expect(limit.waiting).toBe(0);
});

test("a call that is cancelled while it waits gives its place in the queue away", async () => {
  const { call, limit } = set();
  for (const n of [1, 2]) void call(n);
  const exchange = new Exchange(60_000);
  const waiting = call(3, exchange);
  exchange.cancel("changed its mind");
  expect([(await waiting).code, limit.waiting]).toEqual(["CANCELLED", 0]);
});

/** A server that answers in 10 ms up to its capacity, and in proportion later beyond it. */
function settle(limit: AdaptiveLimit, capacity: number, answers: number): number {
  for (let answer = 0; answer < answers; answer += 1) {
    limit.answered(10 * Math.max(1, limit.limit / capacity), limit.limit);
  }
  return limit.limit;
}

test("adaptive: goes down while answers become slower, up again when they do not, never out of its bounds", () => {
  const limit = new AdaptiveLimit(256);
  settle(limit, 256, 3200);
  expect(limit.limit).toBe(256);
  const lowered = settle(limit, 16, 3200);
  expect(lowered).toBeLessThan(100);
  expect(lowered).toBeGreaterThanOrEqual(16);
  expect(settle(limit, 256, 3200)).toBeGreaterThan(lowered);
  // Even if the server hangs, some calls go through to find out when it is back.
  for (let answer = 0; answer < 10_000; answer += 1) limit.answered(1e6, 256);
  expect(limit.limit).toBeGreaterThanOrEqual(16);
});
