import { beforeEach, expect, test } from "@jest/globals";
import { CachePolicy } from "../../../runtime/performance/cache-policy.ts";
import { ResponseCache, type ResponseCacheOptions } from "../../../runtime/performance/response-cache.ts";
import { Exchange } from "../../../runtime/protocol/exchange.ts";
import type { Params } from "../../../runtime/protocol/json-rpc.ts";
import { callTool, FakeCall, plain } from "../../support/fake-call.ts";
import { settled } from "../../support/fake-connector.ts";

let upstream: FakeCall;
let time: number;
let outcomes: string[];
let cache: ResponseCache;
const make = (more: Partial<ResponseCacheOptions> = {}, sharing: "caller" | "everyone" = "caller", resourcesMs = 0) =>
  new ResponseCache(upstream.call, {
    ...{ isolation: "shared", staleMs: 0, maxBytes: 10_000, timeoutMs: 1000, now: () => time },
    policy: new CachePolicy({ tools: { read: 100 }, toolSharing: sharing, resourcesMs }),
    onLookup: (outcome) => outcomes.push(outcome),
    ...more,
  });
beforeEach(() => {
  upstream = new FakeCall();
  time = 0;
  outcomes = [];
  cache = make();
});

const read = (caller: string | undefined = "anna", uri = "file:///a", set: (made: Exchange) => void = () => {}) => {
  const exchange = new Exchange(1000);
  set(exchange);
  return cache.call({ owner: "session", caller }, "resources/read", { uri }, exchange).then(plain);
};
const answer = async (result: Params) => {
  upstream.last.answer({ result });
  await settled();
};

test("a tool's answer is kept for as long as the operator says, for calls that are the same", async () => {
  const first = callTool(cache.call, "read", { a: 1, b: 2 }, { meta: { progressToken: 1 } });
  await answer({ content: [1] });
  time = 99;
  const second = callTool(cache.call, "read", { b: 2, a: 1 }, { meta: { progressToken: 2 } });
  expect([await first.reply, await second.reply]).toEqual([{ result: { content: [1] } }, { result: { content: [1] } }]);
  expect(upstream.made).toHaveLength(1);
  time = 100;
  void callTool(cache.call, "read", { a: 1, b: 2 });
  expect([upstream.made.length, outcomes]).toEqual([2, ["miss", "hit", "miss"]]);
});

test.each([
  ["another tool", "other", {}, {}],
  ["other arguments", "read", { a: 2 }, {}],
  ["another caller", "read", {}, { caller: "berta" }],
  ["a session without a caller", "read", {}, { caller: undefined, owner: "elsewhere" }],
  ["who wants no earlier answer", "read", {}, { set: (made: Exchange) => (made.useCache = false) }],
] as const)("%s is answered by the server", async (_what, name, args, more) => {
  void callTool(cache.call, "read", {});
  await answer({ content: [] });
  void callTool(cache.call, name, args, more);
  expect(upstream.made).toHaveLength(2);
});

test("with isolation by session a kept answer stays in its session", async () => {
  cache = make({ isolation: "session" });
  void callTool(cache.call, "read");
  await answer({ content: [] });
  void callTool(cache.call, "read", {}, { owner: "other" });
  void callTool(cache.call, "read");
  expect(upstream.made).toHaveLength(2);
});

test.each([
  ["an error of the tool", { content: [], isError: true }],
  ["a question", { resultType: "input_required", requestState: "x" }],
  ["a task", { resultType: "task", taskId: "1" }],
])("%s is not kept", async (_what, result) => {
  void callTool(cache.call, "read");
  await answer(result);
  void callTool(cache.call, "read");
  expect([upstream.made.length, cache.size]).toEqual([2, 0]);
});

test("an error of the server is not kept, nor is what was lost", async () => {
  void callTool(cache.call, "read");
  upstream.last.answer({ error: { code: -32000, message: "no" } });
  await settled();
  const lost = callTool(cache.call, "read");
  upstream.last.fail(new Error("lost"));
  await expect(lost.reply).rejects.toThrow("lost");
  void callTool(cache.call, "read");
  expect(upstream.made).toHaveLength(3);
});

test("what goes on after a question is neither kept nor answered from what was kept", async () => {
  void callTool(cache.call, "read");
  await answer({ content: [] });
  for (const part of [{ inputResponses: {} }, { requestState: "x" }]) {
    const params = { name: "read", arguments: {}, ...part };
    void cache.call({ owner: "session", caller: "anna" }, "tools/call", params, new Exchange(1000));
  }
  expect(upstream.made).toHaveLength(3);
});

test("a resource is kept for its server's ttlMs, and who gets it later is told what is left", async () => {
  void read();
  await answer({ contents: [], ttlMs: 1000, cacheScope: "private" });
  time = 400;
  expect(await read()).toEqual({ result: { ttlMs: 600, contents: [], cacheScope: "private" } });
  void read("berta");
  expect(upstream.made).toHaveLength(2);
  time = 1000;
  void read();
  expect(upstream.made).toHaveLength(3);
});

test("a public resource serves every caller", async () => {
  void read("anna");
  await answer({ contents: [], ttlMs: 1000, cacheScope: "public" });
  expect(await read("berta")).toEqual({ result: { ttlMs: 1000, contents: [], cacheScope: "public" } });
  expect(upstream.made).toHaveLength(1);
});

test.each([
  [undefined, 0, 0],
  [0, 0, 0],
  [-5, 0, 0],
  [undefined, 50, 1],
  [0, 50, 0],
])("ttlMs %s with resourcesMs %i: %i kept", async (ttlMs, resourcesMs, kept) => {
  cache = make({}, "caller", resourcesMs);
  void read();
  await answer({ contents: [], ...(ttlMs === undefined ? {} : { ttlMs }) });
  expect(cache.size).toBe(kept);
});

test("tools whose answers are the same for everyone", async () => {
  cache = make({}, "everyone");
  void callTool(cache.call, "read", {}, { caller: "anna" });
  await answer({ content: [] });
  void callTool(cache.call, "read", {}, { caller: "berta" });
  expect(upstream.made).toHaveLength(1);
});

test("a stale answer serves at once while one fresh one is fetched", async () => {
  cache = make({ staleMs: 50 });
  void callTool(cache.call, "read");
  await answer({ content: ["old"] });
  time = 120;
  const replies = await Promise.all([1, 2, 3].map(() => callTool(cache.call, "read").reply));
  expect(replies).toEqual([1, 2, 3].map(() => ({ result: { content: ["old"] } })));
  expect(upstream.made).toHaveLength(2);
  await answer({ content: ["new"] });
  expect(await callTool(cache.call, "read").reply).toEqual({ result: { content: ["new"] } });
  expect(outcomes).toEqual(["miss", "stale", "stale", "stale", "hit"]);
});

test("when the fetch fails the stale answer serves to its end, and each caller tries anew", async () => {
  cache = make({ staleMs: 50 });
  void callTool(cache.call, "read");
  await answer({ content: ["old"] });
  time = 149;
  await callTool(cache.call, "read").reply;
  upstream.last.fail(new Error("away"));
  await settled();
  expect(await callTool(cache.call, "read").reply).toEqual({ result: { content: ["old"] } });
  expect(upstream.made).toHaveLength(3);
  time = 150;
  void callTool(cache.call, "read");
  expect(upstream.made).toHaveLength(4);
});

test("a change drops what it concerns, also what is just being fetched", async () => {
  void callTool(cache.call, "read");
  await answer({ content: [] });
  void read("anna", "file:///a");
  await answer({ contents: [], ttlMs: 1000 });
  void read("anna", "file:///b");
  await answer({ contents: [], ttlMs: 1000 });
  cache.invalidate("contents", "file:///a");
  expect(cache.size).toBe(2);
  void read("anna", "file:///b");
  void callTool(cache.call, "read");
  expect(upstream.made).toHaveLength(3);
  cache.invalidate("tools");
  void callTool(cache.call, "read");
  cache.invalidate("tools");
  await answer({ content: ["asked before the change"] });
  void callTool(cache.call, "read");
  expect([upstream.made.length, cache.size]).toEqual([5, 1]);
});

test("kept answers take no more memory than is allowed; the least recently used go", async () => {
  for (let index = 0; index < 100; index += 1) {
    void callTool(cache.call, "read", { index });
    await answer({ content: ["x".repeat(500)] });
  }
  expect(cache.bytes).toBeLessThanOrEqual(10_000);
  expect(cache.size).toBe(10);
  const before = upstream.made.length;
  void callTool(cache.call, "read", { index: 99 });
  void callTool(cache.call, "read", { index: 89 });
  expect(upstream.made.length - before).toBe(1);
});

test("an answer larger than the whole cache is not kept", async () => {
  void callTool(cache.call, "read");
  await answer({ content: ["x".repeat(20_000)] });
  expect(cache.size).toBe(0);
});

test("who holds an answer cannot change what the next one gets", async () => {
  void callTool(cache.call, "read");
  await answer({ content: [1] });
  const reply = (await callTool(cache.call, "read").reply) as { result: { content: number[] } };
  reply.result.content.push(2);
  expect(await callTool(cache.call, "read").reply).toEqual({ result: { content: [1] } });
});

test("tasks are not kept, nor what a fallback has answered", async () => {
  cache = make({}, "everyone");
  const params = { name: "read", arguments: {}, task: {} };
  void cache.call({ owner: "o", caller: "anna" }, "tools/call", params, new Exchange(1000));
  await answer({ task: { taskId: "t1" } });
  void callTool(cache.call, "read", {});
  await answer({ resultType: "task", taskId: "t2", status: "working" });
  void callTool(cache.call, "read", {});
  upstream.last.exchange.fellBack = true;
  await answer({ content: [] });
  expect([upstream.made.length, cache.size]).toEqual([3, 0]);
});
