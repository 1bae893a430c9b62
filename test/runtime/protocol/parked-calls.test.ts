import { expect, test } from "@jest/globals";
import { defaults } from "../../../runtime/config/defaults.ts";
import { FleetError } from "../../../runtime/errors.ts";
import { Exchange } from "../../../runtime/protocol/exchange.ts";
import type { RpcReply } from "../../../runtime/protocol/json-rpc.ts";
import { ParkedCall } from "../../../runtime/protocol/parked-call.ts";
import { ParkedCalls, type ParkedCallsOptions, usualPresentMs } from "../../../runtime/protocol/parked-calls.ts";
import { Question } from "../../../runtime/protocol/questions.ts";
import { Sealer } from "../../../runtime/protocol/sealer.ts";

const sealer = new Sealer("request state", [{ id: "k", key: Buffer.alloc(32, 1) }]);
const table = (more: Partial<Omit<ParkedCallsOptions, "sealer">> = {}) =>
  new ParkedCalls({ sealer, clock: () => 0, max: 10, expiryMs: 1000, ...more });

/** A call whose server asks `questions` and then answers with what it heard. */
function asking(binding: string, ...questions: string[]): { call: ParkedCall; exchange: Exchange } {
  const call = new ParkedCall(() => binding);
  const exchange = new Exchange(1000);
  const running = Promise.all(questions.map((about) => call.ask("elicitation/create", { about }, new Question()))).then(
    (replies): RpcReply => ({ result: replies }),
  );
  call.run(exchange, running);
  return { call, exchange };
}

test("questions are gathered into one answer, and the call goes on when all are answered", async () => {
  const { call } = asking("anna", "name", "age");
  const inputRequests = {
    "input-1": { method: "elicitation/create", params: { about: "name" } },
    "input-2": { method: "elicitation/create", params: { about: "age" } },
  };
  expect(await call.next()).toEqual({ inputRequests });
  call.answer({ "input-2": { age: 7 }, other: { ignored: true } });
  expect(await call.next()).toEqual({ inputRequests: { "input-1": inputRequests["input-1"] } });
  call.answer({ "input-1": { name: "Anna" } });
  expect(await call.next()).toEqual({ result: [{ result: { name: "Anna" } }, { result: { age: 7 } }] });
  expect(call.waiting).toBe(false);
});

test("a state leads back to its call once, for its own request", () => {
  const calls = table();
  const { call } = asking("anna", "name");
  const state = calls.park(call, "anna");
  expect([calls.owns(state), calls.owns("a server's own"), calls.owns(undefined)]).toEqual([true, false, false]);
  expect(() => calls.resume(state, "bert")).toThrow('"requestState" belongs to another request');
  expect(calls.resume(state, "anna")).toBe(call);
  expect(() => calls.resume(state, "anna")).toThrow("has expired or was used before");
  expect(() => calls.resume(`${state.slice(0, -1)}~`, "anna")).toThrow("was not made here, or has been changed");
});

test("a state of a server host or of another gateway is the server's own, also where its key has the same id", () => {
  const host = new ParkedCalls({
    sealer: new Sealer("request state", [{ id: "k", key: Buffer.alloc(32, 2) }]),
    clock: () => 0,
    max: 10,
    expiryMs: 1000,
  });
  const state = host.park(asking("anna", "name").call, "anna");
  expect([host.owns(state), table().owns(state)]).toEqual([true, false]);
});

test("a state that was sealed by the key before is still the gateway's own", () => {
  const keys = [1, 2].map((fill) => ({ id: `k${fill}`, key: Buffer.alloc(32, fill) }));
  const [before, after] = [keys, keys.toReversed()].map((order) => {
    return new ParkedCalls({ sealer: new Sealer("request state", order), clock: () => 0, max: 10, expiryMs: 1000 });
  }) as [ParkedCalls, ParkedCalls];
  expect(after.owns(before.park(asking("anna", "name").call, "anna"))).toBe(true);
});

test("what was sealed for another purpose is no state", () => {
  const session = new Sealer("session", [{ id: "k", key: Buffer.alloc(32, 1) }]);
  expect(() => table().resume(`mcp-fleet:${sealer.marks[0]}:${session.seal("[]")}`, "anna")).toThrow(
    "was not made here",
  );
});

test("a call whose client comes too late, or that must give way, is cancelled", async () => {
  let time = 0;
  const calls = table({ clock: () => time, max: 1 });
  const first = asking("anna", "name");
  const second = asking("anna", "name");
  calls.park(first.call, "anna");
  const state = calls.park(second.call, "bert");
  expect([first.exchange.cancelled, second.exchange.cancelled]).toEqual([
    "the client did not answer in time",
    undefined,
  ]);
  await expect(first.call.next()).rejects.toThrow("the client did not answer in time");
  time = 1001;
  expect(() => calls.resume(state, "anna")).toThrow("has expired or was used before");
  calls.close();
  expect([calls.size, second.exchange.cancelled]).toEqual([0, "the gateway is shutting down"]);
});

test("a caller who parks too many calls gives up its own oldest one, never another caller's", () => {
  const calls = table({ maxPerCaller: 2 });
  const [one, two, three, bert] = [asking("anna", "a"), asking("anna", "a"), asking("anna", "a"), asking("bert", "a")];
  calls.park(bert.call, "bert");
  const states = [one, two, three].map(({ call }) => calls.park(call, "anna"));
  expect([one, two, three, bert].map(({ exchange }) => exchange.cancelled)).toEqual([
    "the caller has too many calls that wait for its answers",
    ...[undefined, undefined, undefined],
  ]);
  expect(calls.resume(states[1] as string, "anna")).toBe(two.call);
  calls.park(two.call, "anna");
  expect([calls.size, three.exchange.cancelled]).toEqual([3, undefined]);
  calls.close();
});

test("a question that is withdrawn is put to the client no more", async () => {
  const call = new ParkedCall(() => "anna");
  const question = new Question();
  const answer = call.ask("elicitation/create", { about: "name" }, question).catch((error) => error);
  question.withdraw(new FleetError("REQUEST_TIMEOUT", "too late"));
  expect([(await answer).message, call.waiting]).toEqual(["too late", false]);
});

test("where others wait for its server, the call gives way whose client has been away longest", () => {
  const calls = table({ presentMs: 0 });
  const [here, there] = [{}, {}];
  const parked = [there, here, here].map((place, index) => {
    const { call, exchange } = asking(`call ${index}`, "name");
    exchange.place = place;
    return { state: calls.park(call, "anna"), exchange };
  });
  const cancelled = () => parked.map(({ exchange }) => exchange.cancelled !== undefined);
  expect([calls.giveUp(new Set([here])), cancelled()]).toEqual([true, [false, true, false]]);
  expect(() => calls.resume(parked[1]?.state as string, "call 1")).toThrow("call anew without it");
  expect([calls.giveUp(new Set([here])), cancelled()]).toEqual([true, [false, true, true]]);
  expect([calls.giveUp(new Set([here])), calls.size]).toEqual([false, 1]);
});

test("who waits for the place of a client that has gone with a question gets it before the own time is up", () => {
  // Time to end an instance and to start another one.
  expect(usualPresentMs).toBeLessThanOrEqual(defaults.timeouts.connectMs - 10_000);
});

test("a client that was asked a moment ago keeps its call, whoever waits", () => {
  const calls = table({ presentMs: 900 });
  const { call, exchange } = asking("anna", "name");
  exchange.place = {};
  const state = calls.park(call, "anna");
  expect([calls.giveUp(new Set([exchange.place])), exchange.cancelled]).toEqual([false, undefined]);
  expect(calls.resume(state, "anna")).toBe(call);
});
