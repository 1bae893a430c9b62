import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import { CallQueue } from "../../../runtime/performance/call-queue.ts";
import { callTool, FakeCall } from "../../support/fake-call.ts";
import { settled } from "../../support/fake-connector.ts";

let upstream: FakeCall;
let waited: unknown[];
let time: number;
let queue: CallQueue;
beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ["setImmediate", "queueMicrotask", "nextTick"] });
  upstream = new FakeCall();
  waited = [];
  time = 0;
  queue = new CallQueue(upstream.call, {
    ...{ fleet: "docs", concurrency: 1, maxWaiting: 2, maxWaitMs: 500, ageMs: 100 },
    minimumPercent: { high: 20, normal: 10, low: 5 },
    now: () => time,
    onWaited: (priority, ms) => waited.push([priority, ms]),
  });
});
afterEach(() => {
  jest.useRealTimers();
});
const names = () => upstream.made.map(({ params }) => params?.name);
const finish = async () => {
  upstream.last.answer({ result: upstream.last.params?.name });
  await settled();
};

test("one at a time, the most urgent first: by _meta, or by what the exchange was told", async () => {
  const first = callTool(queue.call, "first");
  const low = callTool(queue.call, "low", {}, { meta: { "mcp-fleet/priority": "low" } });
  const high = callTool(
    queue.call,
    "high",
    {},
    { meta: { "mcp-fleet/priority": "low" }, set: (made) => (made.priority = "high") },
  );
  expect([names(), queue.length("low"), queue.length("high")]).toEqual([["first"], 1, 1]);
  time = 7;
  await finish();
  await finish();
  await finish();
  expect(names()).toEqual(["first", "high", "low"]);
  expect(waited).toEqual([
    ["high", 7],
    ["low", 7],
  ]);
  expect(
    [await first.reply, await low.reply, await high.reply].map((reply) => "result" in reply && reply.result),
  ).toEqual(["first", "low", "high"]);
});

test("what finds no place is refused at once, and a more urgent call takes a place", async () => {
  void callTool(queue.call, "first");
  const kept = callTool(queue.call, "kept");
  const displaced = callTool(queue.call, "displaced");
  const refused = callTool(queue.call, "refused");
  await expect(refused.reply).rejects.toMatchObject({
    code: "QUEUE_FULL",
    message:
      "docs: 1 calls are under way and this one found no place in the queue; call again later, or raise queue.concurrency of this server",
  });
  void callTool(queue.call, "urgent", {}, { set: (made) => (made.priority = "critical") });
  await expect(displaced.reply).rejects.toMatchObject({ code: "QUEUE_FULL" });
  await finish();
  await finish();
  await finish();
  expect([names(), await kept.reply]).toEqual([["first", "urgent", "kept"], { result: "kept" }]);
});

test("who has waited too long, or cancels, leaves the queue", async () => {
  void callTool(queue.call, "first");
  const late = callTool(queue.call, "late");
  const cancelled = callTool(queue.call, "cancelled");
  cancelled.exchange.cancel("enough");
  await expect(cancelled.reply).rejects.toMatchObject({ code: "CANCELLED" });
  jest.advanceTimersByTime(500);
  await expect(late.reply).rejects.toMatchObject({ code: "QUEUE_FULL" });
  await finish();
  expect([names(), queue.length("normal")]).toEqual([["first"], 0]);
});

test("nobody waits beyond the deadline of the whole call", async () => {
  void callTool(queue.call, "first");
  time = 1000;
  const late = callTool(queue.call, "late", {}, { set: (made) => (made.deadline = 1100) });
  jest.advanceTimersByTime(99);
  expect(queue.length("normal")).toBe(1);
  jest.advanceTimersByTime(1);
  await expect(late.reply).rejects.toMatchObject({ code: "QUEUE_FULL" });
});

test("a call that fails gives its place back too", async () => {
  const first = callTool(queue.call, "first");
  void callTool(queue.call, "second");
  upstream.last.fail(new Error("lost"));
  await expect(first.reply).rejects.toThrow("lost");
  await settled();
  expect(names()).toEqual(["first", "second"]);
});

test("with critical calls at saturation the low ones get their minimum", async () => {
  const wide = new CallQueue(upstream.call, {
    ...{ fleet: "docs", concurrency: 4, maxWaiting: 10_000, maxWaitMs: 60_000, ageMs: 1e9 },
    minimumPercent: { high: 20, normal: 10, low: 5 },
    now: () => time,
    onWaited: () => {},
  });
  const urgent = { set: (made: { priority?: unknown }) => (made.priority = "critical") };
  const low = { set: (made: { priority?: unknown }) => (made.priority = "low") };
  for (let index = 0; index < 50; index += 1) void callTool(wide.call, "low", { index }, low);
  for (let index = 0; index < 500; index += 1) void callTool(wide.call, "critical", { index }, urgent);
  for (let answered = 0; answered < 204; answered += 1) {
    upstream.made[answered]?.answer({ result: {} });
    await settled();
  }
  // Four low ones began before anything waited; of the 204 that followed 5 % are 10.
  const began = names();
  expect([began.length, began.filter((name) => name === "low").length]).toEqual([208, 14]);
});
