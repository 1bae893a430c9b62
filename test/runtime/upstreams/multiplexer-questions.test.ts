import { expect, jest, test } from "@jest/globals";
import type { ExchangeClient } from "../../../runtime/protocol/exchange.ts";
import { Exchange } from "../../../runtime/protocol/exchange.ts";
import type { RpcReply } from "../../../runtime/protocol/json-rpc.ts";
import { stuckMs } from "../../../runtime/upstreams/multiplexer.ts";
import { settled } from "../../support/fake-connector.ts";
import { anna, multiplexer } from "../../support/test-multiplexer.ts";

test("a server's question goes to the client whose call is in flight, and its deadline stands still meanwhile", async () => {
  jest.useFakeTimers({ doNotFake: ["setImmediate"] });
  const { mux, sent, say, idOf } = multiplexer();
  const answer = Promise.withResolvers<RpcReply>();
  const client = { ...anna, ask: () => answer.promise };
  const call = mux.request("tools/call", { name: "asks" }, new Exchange(250, undefined, client));
  say({ id: 7, method: "roots/list" });
  jest.advanceTimersByTime(5000);
  answer.resolve({ result: { roots: [] } });
  await settled();
  say({ id: idOf(0), result: { done: true } });
  jest.useRealTimers();
  expect(await call).toMatchObject({ result: { done: true } });
  expect(sent.slice(1)).toEqual([{ jsonrpc: "2.0", id: 7, result: { roots: [] } }]);
});

test("a call that ends while its client is asked withdraws the question", async () => {
  const { mux, say, idOf } = multiplexer();
  const withdrawn: string[] = [];
  const client: ExchangeClient = {
    ...anna,
    ask: (_method, _params, question) =>
      new Promise((_, reject) =>
        question.onWithdrawn((error) => {
          withdrawn.push(error.message);
          reject(error);
        }),
      ),
  };
  const call = mux.request("tools/call", {}, new Exchange(1000, undefined, client));
  say({ id: 7, method: "roots/list" });
  say({ id: idOf(0), result: {} });
  await call;
  expect(withdrawn).toEqual(["the call has ended"]);
});

test("a question or a log line of a call that was given up reaches nobody else", async () => {
  const { mux, sent, heard, say } = multiplexer();
  const given = new Exchange(1000, undefined, { ...anna, owner: "bert" });
  const bert = mux.request("tools/call", {}, given).catch(() => {});
  given.cancel("over");
  await bert;
  const said: unknown[] = [];
  void mux.request("tools/call", {}, new Exchange(1000, (...words) => said.push(words), anna)).catch(() => {});
  say({ id: 7, method: "roots/list" });
  say({ method: "notifications/message", params: { data: "bert's secret" } });
  await settled();
  expect(sent.at(-1)).toMatchObject({ id: 7, error: { code: -32601 } });
  expect([said, heard]).toEqual([[], [["notifications/message", { data: "bert's secret" }]]]);
  mux.end("over");
});

test("what a server says late of a caller's call reaches no other caller", async () => {
  const { mux, sent, say, idOf } = multiplexer();
  const of = (
    caller: string,
    ...more: ConstructorParameters<typeof Exchange> extends [number, ...infer More] ? More : never
  ) => Object.assign(new Exchange(1000, ...more), { caller });
  const first = mux.request("tools/call", {}, of("bert", undefined, { ...anna, owner: "bert's" }));
  say({ id: idOf(0), result: {} });
  await first;
  const said: unknown[] = [];
  const ask = async () => ({ result: { roots: [] } });
  void mux
    .request(
      "tools/call",
      {},
      of("anna", (...words) => said.push(words), { ...anna, ask }),
    )
    .catch(() => {});
  say({ method: "notifications/message", params: { data: "bert's secret" } });
  say({ id: 7, method: "roots/list" });
  await settled();
  expect([said, sent.at(-1)]).toMatchObject([[], { id: 7, error: { code: -32601 } }]);
  mux.end("over");
});

test("a question is nobody's while a call without a client is in flight", async () => {
  const { mux, sent, say } = multiplexer();
  void mux.request("tools/call", {}, new Exchange(250)).catch(() => {});
  void mux.request("tools/call", {}, new Exchange(250, undefined, anna)).catch(() => {});
  say({ id: 7, method: "roots/list" });
  await settled();
  expect(sent.at(-1)).toMatchObject({ id: 7, error: { code: -32601 } });
  mux.end("over");
});

test("a server that asks and takes no replies is read no further, then given up; one that catches up is read on", async () => {
  jest.useFakeTimers({ doNotFake: ["setImmediate"] });
  const done: string[] = [];
  const flow = { pause: () => done.push("pause"), resume: () => done.push("resume") };
  const taken: (() => void)[] = [];
  const send = (_message: string, onSent?: () => void) => void taken.push(onSent ?? (() => {}));
  const { mux, say } = multiplexer(true, undefined, { flow, fail: (reason) => done.push(reason), send });
  for (let n = 0; n < 40; n += 1) say({ id: n, method: "ping" });
  await settled();
  for (const take of taken) take();
  jest.advanceTimersByTime(stuckMs);
  expect(done).toEqual(["pause", "resume"]);
  for (let n = 0; n < 40; n += 1) say({ id: n, method: "ping" });
  await settled();
  jest.advanceTimersByTime(stuckMs);
  jest.useRealTimers();
  const problem = `the server sends requests and has not read the replies for ${stuckMs} ms`;
  expect(done).toEqual(["pause", "resume", "pause", problem]);
  mux.end("over");
});

test("with calls of two owners in flight nobody is asked, for it could be the wrong one", async () => {
  const { mux, sent, say } = multiplexer();
  for (const owner of ["anna", "bert"]) {
    void mux.request("tools/call", {}, new Exchange(250, undefined, { ...anna, owner })).catch(() => {});
  }
  say({ id: 7, method: "roots/list" });
  await settled();
  expect(sent.slice(2)).toMatchObject([{ id: 7, error: { code: -32601 } }]);
  mux.end("over");
});
