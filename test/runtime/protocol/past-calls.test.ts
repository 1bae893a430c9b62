import { expect, test } from "@jest/globals";
import { Exchange, type ExchangeClient } from "../../../runtime/protocol/exchange.ts";
import { PastCalls } from "../../../runtime/protocol/past-calls.ts";

const call = (caller: string | undefined, owner = caller, method = "tools/call") => {
  const client = owner === undefined ? undefined : ({ owner } as ExchangeClient);
  return { method, exchange: Object.assign(new Exchange(1000, undefined, client), { caller }) };
};

test("a message that names no call can be about another caller's that has just been answered", () => {
  let time = 0;
  const past = new PastCalls(() => time);
  const concern = (who: string) => past.concernOthers(call(who).exchange);
  expect([concern("anna"), concern("bert")]).toEqual([false, false]);
  past.answered(call("anna"));
  past.answered(call("cleo", "cleo", "tools/list"));
  expect([concern("anna"), concern("bert")]).toEqual([false, true]);
  time = 1000;
  past.answered(call("bert"));
  past.answered(call("bert"));
  expect([concern("anna"), concern("bert")]).toEqual([true, true]);
  time = 2000;
  expect([concern("anna"), concern("bert")]).toEqual([true, false]);
  time = 3000;
  expect([concern("anna"), concern("bert")]).toEqual([false, false]);
});

test("a message that names no call can be about a session's that was given up, for a while", () => {
  let time = 0;
  const past = new PastCalls(() => time);
  const concern = (owner: string) => past.concernOthers(call("anna", owner).exchange);
  past.abandoned(call("anna", "one", "ping"));
  expect([past.anyAbandoned, concern("two")]).toEqual([false, false]);
  past.abandoned(call("anna", "one"));
  expect([past.anyAbandoned, concern("one"), concern("two")]).toEqual([true, false, true]);
  time = 10_000;
  // One of REST, which can be anybody's.
  past.abandoned(call(undefined));
  time = 30_000;
  expect([concern("one"), concern("two")]).toEqual([true, true]);
  time = 40_000;
  expect([past.anyAbandoned, concern("one")]).toEqual([false, false]);
});
