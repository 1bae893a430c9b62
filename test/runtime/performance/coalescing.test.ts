import { beforeEach, expect, test } from "@jest/globals";
import { Coalescing, type Sharing } from "../../../runtime/performance/coalescing.ts";
import { Exchange } from "../../../runtime/protocol/exchange.ts";
import { callTool, FakeCall } from "../../support/fake-call.ts";
import { settled } from "../../support/fake-connector.ts";

let upstream: FakeCall;
let coalesced: number;
let sharing: Sharing | undefined;
let stage: Coalescing;
const make = (isolation: string) =>
  new Coalescing(upstream.call, {
    isolation,
    shares: () => sharing,
    onCoalesced: () => {
      coalesced += 1;
    },
  });
beforeEach(() => {
  upstream = new FakeCall();
  coalesced = 0;
  sharing = "caller";
  stage = make("shared");
});

test("identical calls under way become one, whatever the order of their arguments and their _meta", async () => {
  const first = callTool(stage.call, "read", { a: 1, b: { c: 2, d: 3 } }, { meta: { traceparent: "1" } });
  const second = callTool(stage.call, "read", { b: { d: 3, c: 2 }, a: 1 }, { meta: { traceparent: "2" } });
  expect([upstream.made.length, coalesced, stage.size]).toEqual([1, 1, 1]);
  upstream.last.answer({ result: "answer" });
  expect(await Promise.all([first.reply, second.reply])).toEqual([{ result: "answer" }, { result: "answer" }]);
  expect(stage.size).toBe(0);
  void callTool(stage.call, "read", { a: 1, b: { c: 2, d: 3 } });
  expect(upstream.made).toHaveLength(2);
});

test.each<[string, string, Sharing | undefined, { args?: { a: number }; caller?: string; owner?: string }]>([
  ["other arguments", "shared", "caller", { args: { a: 2 } }],
  ["another caller", "shared", "caller", { caller: "berta" }],
  ["another session with an instance of its own", "session", "caller", { owner: "other" }],
  ["what may not share", "shared", undefined, {}],
])("%s is a call of its own", (_what, isolation, shares, { args = { a: 1 }, ...more }) => {
  stage = make(isolation);
  sharing = shares;
  void callTool(stage.call, "read", { a: 1 });
  void callTool(stage.call, "read", args, more);
  expect([upstream.made.length, coalesced]).toEqual([2, 0]);
});

test("what is the same for everyone is shared by callers too", () => {
  sharing = "everyone";
  void callTool(stage.call, "read", {}, { caller: "anna" });
  void callTool(stage.call, "read", {}, { caller: "berta" });
  expect([upstream.made.length, coalesced]).toEqual([1, 1]);
});

test("one who cancels leaves the others alone; the last one takes the call along", async () => {
  const calls = ["first", "second", "third"].map(() => callTool(stage.call, "read"));
  calls[0]?.exchange.cancel("changed my mind");
  await expect(calls[0]?.reply).rejects.toMatchObject({ code: "CANCELLED" });
  expect(upstream.last.exchange.cancelled).toBeUndefined();
  calls[1]?.exchange.cancel("so did I");
  await expect(calls[1]?.reply).rejects.toMatchObject({ code: "CANCELLED" });
  upstream.last.answer({ result: "for the third" });
  expect(await calls[2]?.reply).toEqual({ result: "for the third" });

  const alone = callTool(stage.call, "read");
  alone.exchange.cancel("gone");
  await expect(alone.reply).rejects.toMatchObject({ code: "CANCELLED" });
  expect(upstream.last.exchange.cancelled).toBe("gone");
  // Nobody joins a call that is being cancelled.
  void callTool(stage.call, "read");
  expect(upstream.made).toHaveLength(3);
});

test("the deadline of the one call is that of the first", () => {
  void callTool(stage.call, "read", {}, { set: (made) => (made.deadline = 77) });
  void callTool(stage.call, "read", {}, { set: (made) => (made.deadline = 99) });
  expect(upstream.made.map(({ exchange }) => exchange.deadline)).toEqual([77]);
});

test("a failure is everybody's", async () => {
  const calls = [callTool(stage.call, "read"), callTool(stage.call, "read")];
  upstream.last.fail(new Error("lost"));
  for (const { reply } of calls) await expect(reply).rejects.toThrow("lost");
});

test("each hears of progress under its own token", () => {
  const first = callTool(stage.call, "read", {}, { meta: { progressToken: "one" } });
  const second = callTool(stage.call, "read", {}, { meta: { progressToken: "two" } });
  const third = callTool(stage.call, "read");
  upstream.last.exchange.listener?.("notifications/progress", { progressToken: "one", progress: 1 });
  upstream.last.exchange.listener?.("notifications/message", { data: "line" });
  const line = { method: "notifications/message", params: { data: "line" } };
  const progress = (progressToken: string) => ({
    method: "notifications/progress",
    params: { progressToken, progress: 1 },
  });
  expect([first.heard, second.heard, third.heard]).toEqual([[progress("one"), line], [progress("two"), line], [line]]);
});

test("a question to one client is no answer to the other: that one asks by itself", async () => {
  const first = callTool(stage.call, "read");
  const second = callTool(stage.call, "read");
  const question = { result: { resultType: "input_required", requestState: "of the first" } };
  upstream.last.answer(question);
  expect(await first.reply).toEqual(question);
  await settled();
  expect(upstream.made).toHaveLength(2);
  upstream.last.answer({ result: "for the second" });
  expect(await second.reply).toEqual({ result: "for the second" });
});

test("one caller's task is never another's answer", async () => {
  sharing = "everyone";
  const params = { name: "read", arguments: {}, task: {} };
  const call = (caller: string) =>
    stage.call({ owner: caller, caller }, "tools/call", params, new Exchange(1000)).catch(() => {});
  void call("anna");
  void call("berta");
  expect([upstream.made.length, coalesced]).toEqual([2, 0]);
  // Those of the stateless era come unasked.
  void callTool(stage.call, "read", {}, { caller: "anna" });
  const second = callTool(stage.call, "read", {}, { caller: "berta" });
  const task = { result: { resultType: "task", taskId: "t1", status: "working" } };
  upstream.last.answer(task);
  await settled();
  expect([upstream.made.length, coalesced]).toEqual([4, 1]);
  upstream.last.answer({ result: { ...task.result, taskId: "t2" } });
  expect(await second.reply).toEqual({ result: { ...task.result, taskId: "t2" } });
});

test("what a fallback has answered one caller is not given to another, who may not use it", async () => {
  sharing = "everyone";
  const first = callTool(stage.call, "read", {}, { caller: "anna" });
  const second = callTool(stage.call, "read", {}, { caller: "berta" });
  upstream.last.exchange.fellBack = true;
  upstream.last.answer({ result: "of the fallback" });
  expect(await first.reply).toEqual({ result: "of the fallback" });
  await settled();
  expect(upstream.made.map(({ client }) => client.caller)).toEqual(["anna", "berta"]);
  upstream.last.answer({ result: "of the server" });
  expect(await second.reply).toEqual({ result: "of the server" });
});
