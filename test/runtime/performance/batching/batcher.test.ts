import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import { type BatchedCall, Batcher, type BatcherOptions } from "../../../../runtime/performance/batching/batcher.ts";
import { callTool } from "../../../support/fake-call.ts";
import { settled } from "../../../support/fake-connector.ts";

let batches: BatchedCall[][];
let done: (() => void)[];
let sizes: number[];
let batcher: Batcher;
const make = (more: Partial<BatcherOptions> = {}) =>
  new Batcher({
    ...{ name: "docs", maxBatchSize: 3, batchTimeoutMs: 100, maxInFlight: 2, maxWaiting: 10, ageMs: 1000 },
    ...{ minimumPercent: { high: 20, normal: 10, low: 5 }, now: () => 0, onBatch: (size) => sizes.push(size) },
    upstream: {
      send: (calls) => {
        batches.push([...calls]);
        return new Promise((resolve) => done.push(resolve));
      },
      close: async () => {},
    },
    ...more,
  });
beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ["setImmediate", "clearImmediate", "queueMicrotask", "nextTick"] });
  batches = [];
  done = [];
  sizes = [];
  batcher = make();
});
afterEach(() => {
  jest.useRealTimers();
});
const sent = () => batches.map((calls) => calls.map(({ params }) => params?.name));
const add = (name: string, more: Parameters<typeof callTool>[3] = {}) => callTool(batcher.call, name, {}, more);
const finish = async (index: number) => {
  for (const { resolve, params } of batches[index] as BatchedCall[]) resolve({ result: params?.name });
  done[index]?.();
  await settled();
};

test("without load nothing waits: what comes in one turn goes together", async () => {
  const replies = [add("a"), add("b")].map(({ reply }) => reply);
  await settled();
  expect(sent()).toEqual([["a", "b"]]);
  await finish(0);
  expect(await Promise.all(replies)).toEqual([{ result: "a" }, { result: "b" }]);
  void add("c");
  await settled();
  expect([sent(), sizes]).toEqual([
    [["a", "b"], ["c"]],
    [2, 1],
  ]);
});

test("under load calls wait for company: until a batch is full", async () => {
  void add("a");
  await settled();
  for (const name of ["b", "c"]) void add(name);
  await settled();
  expect(sent()).toEqual([["a"]]);
  void add("d");
  expect(sent()).toEqual([["a"], ["b", "c", "d"]]);
});

test("… until the time is over", async () => {
  void add("a");
  await settled();
  void add("b");
  jest.advanceTimersByTime(99);
  expect(sent()).toEqual([["a"]]);
  jest.advanceTimersByTime(1);
  expect(sent()).toEqual([["a"], ["b"]]);
});

test("… or until a batch comes back", async () => {
  void add("a");
  await settled();
  for (const name of ["b", "c"]) void add(name);
  await finish(0);
  expect(sent()).toEqual([["a"], ["b", "c"]]);
});

test("no more than so many batches are under way, however many calls wait", async () => {
  for (const name of "abcdefgh") void add(name);
  jest.advanceTimersByTime(500);
  expect([sent(), batcher.waiting]).toEqual([
    [
      ["a", "b", "c"],
      ["d", "e", "f"],
    ],
    2,
  ]);
  await finish(1);
  expect(sent()[2]).toEqual(["g", "h"]);
});

test("the most urgent go first", async () => {
  batcher = make({ maxInFlight: 1 });
  void add("first");
  await settled();
  const urgency = (priority: string) => ({ meta: { "mcp-fleet/priority": priority } });
  for (const level of ["low", "normal", "high", "critical"]) void add(level, urgency(level));
  await finish(0);
  expect(sent()[1]).toEqual(["critical", "high", "normal"]);
});

test("a full queue refuses, a cancelled call leaves, a late one is told", async () => {
  batcher = make({ maxInFlight: 1, maxWaiting: 2 });
  void add("first").reply.catch(() => {});
  await settled();
  const waiting = add("waiting");
  const cancelled = add("cancelled");
  await expect(add("refused").reply).rejects.toMatchObject({ code: "QUEUE_FULL" });
  cancelled.exchange.cancel("enough");
  await expect(cancelled.reply).rejects.toMatchObject({ code: "CANCELLED" });
  jest.advanceTimersByTime(1000);
  await expect(waiting.reply).rejects.toMatchObject({
    code: "REQUEST_TIMEOUT",
    message: "docs: no answer within 1000 ms; give the request a longer timeout",
  });
  await finish(0);
  expect([sent(), batcher.waiting]).toEqual([[["first"]], 0]);
});

test("a closed one refuses what waits and what comes", async () => {
  batcher = make({ maxInFlight: 1 });
  void add("first").reply.catch(() => {});
  await settled();
  const waiting = add("waiting");
  await batcher.close();
  await expect(waiting.reply).rejects.toMatchObject({ code: "DRAINING" });
  await expect(add("late").reply).rejects.toMatchObject({ code: "DRAINING" });
});
