import { expect, jest, test } from "@jest/globals";
import { FleetError } from "../../../runtime/errors.ts";
import type { ExchangeClient } from "../../../runtime/protocol/exchange.ts";
import { Exchange } from "../../../runtime/protocol/exchange.ts";
import type { RpcReply } from "../../../runtime/protocol/json-rpc.ts";
import { Multiplexer } from "../../../runtime/upstreams/multiplexer.ts";
import { settled } from "../../support/fake-connector.ts";

const anna: ExchangeClient = {
  ...{ owner: "anna", modern: false, asked: false, clientInfo: undefined, logLevel: undefined },
  capabilities: { roots: {} },
  ask: () => Promise.reject(new Error("not asked")),
};

function multiplexer(reaches = true) {
  const sent: Record<string, unknown>[] = [];
  const heard: unknown[] = [];
  const mux = new Multiplexer({
    name: "fake",
    events: { onNotification: (method, params) => heard.push([method, params]) },
    send: (message, onSent) => {
      sent.push(JSON.parse(message));
      if (reaches) onSent?.();
    },
  });
  const say = (message: object) => mux.receive(JSON.stringify({ jsonrpc: "2.0", ...message }));
  return { mux, sent, heard, say };
}

test("answers find their calls in any order, under ids of our own", async () => {
  const { mux, sent, say } = multiplexer();
  const one = mux.request("tools/call", { name: "a" }, new Exchange(1000));
  const two = mux.request("ping", undefined, new Exchange(1000));
  expect(sent).toEqual([
    { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "a" } },
    { jsonrpc: "2.0", id: 2, method: "ping" },
  ]);
  say({ id: 2, result: { two: 2 } });
  say({ id: 1, error: { code: -32602, message: "no" } });
  say({ id: 99, result: {} });
  expect(await one).toEqual({ error: { code: -32602, message: "no" } });
  expect(await two).toMatchObject({ result: { two: 2 } });
  expect(mux.inFlight).toBe(0);
});

test("two clients may use the same progress token: each hears its own progress, under its own token", async () => {
  const { mux, sent, heard, say } = multiplexer();
  const said: unknown[][] = [[], []];
  const calls = [0, 1].map((n) =>
    mux.request(
      "tools/call",
      { name: "slow", _meta: { progressToken: "p", other: n } },
      new Exchange(1000, (...words) => said[n]?.push(words)),
    ),
  );
  expect(sent.map(({ params }) => params)).toEqual([
    { name: "slow", _meta: { progressToken: 1, other: 0 } },
    { name: "slow", _meta: { progressToken: 2, other: 1 } },
  ]);
  say({ method: "notifications/progress", params: { progressToken: 2, progress: 5 } });
  say({ method: "notifications/progress", params: { progressToken: 7, progress: 5 } });
  expect(said).toEqual([[], [["notifications/progress", { progressToken: "p", progress: 5 }]]]);
  for (const id of [1, 2]) say({ id, result: {} });
  await Promise.all(calls);
  expect(heard).toEqual([]);
});

test("a log line goes to the only call in flight, else to nobody's call", async () => {
  const { mux, heard, say } = multiplexer();
  const said: unknown[] = [];
  const call = mux.request("tools/call", {}, new Exchange(1000, (method) => said.push(method)));
  say({ method: "notifications/message", params: { data: 1 } });
  void mux.request("ping", undefined, new Exchange(1000)).catch(() => {});
  say({ method: "notifications/message", params: { data: 2 } });
  say({ id: 1, result: {} });
  await call;
  expect(said).toEqual(["notifications/message"]);
  expect(heard).toEqual([["notifications/message", { data: 2 }]]);
  mux.end("over");
});

test("a server's ping is answered, a request that belongs to no client is refused, noise is dropped", async () => {
  const { mux, sent, say } = multiplexer();
  say({ id: "x", method: "ping" });
  say({ id: "y", method: "roots/list" });
  say({ id: "z", method: "no/such" });
  mux.receive("not json");
  mux.receive('{"jsonrpc":"1.0"}');
  await settled();
  const nobody = "roots/list: no client's call is in flight to which it could belong";
  expect(sent).toEqual([
    { jsonrpc: "2.0", id: "x", result: {} },
    { jsonrpc: "2.0", id: "y", error: { code: -32601, message: nobody } },
    { jsonrpc: "2.0", id: "z", error: { code: -32601, message: "Method not found: no/such" } },
  ]);
});

test("a server's question goes to the client whose call is in flight, and its deadline stands still meanwhile", async () => {
  jest.useFakeTimers({ doNotFake: ["setImmediate"] });
  const { mux, sent, say } = multiplexer();
  const answer = Promise.withResolvers<RpcReply>();
  const client = { ...anna, asked: true, ask: () => answer.promise };
  const call = mux.request("tools/call", { name: "asks" }, new Exchange(250, undefined, client));
  say({ id: 7, method: "roots/list" });
  jest.advanceTimersByTime(1000);
  client.asked = false;
  answer.resolve({ result: { roots: [] } });
  await settled();
  say({ id: 1, result: { done: true } });
  jest.useRealTimers();
  expect(await call).toMatchObject({ result: { done: true } });
  expect(sent.slice(1)).toEqual([{ jsonrpc: "2.0", id: 7, result: { roots: [] } }]);
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

test("a call past its deadline fails, and the server is told to stop", async () => {
  jest.useFakeTimers();
  const { mux, sent } = multiplexer();
  const call = mux.request("tools/call", { name: "slow" }, new Exchange(250)).catch((error) => error);
  jest.advanceTimersByTime(250);
  jest.useRealTimers();
  const fix = "raise timeouts.requestMs of this server, or ask for less in one call";
  expect(await call).toEqual(new FleetError("REQUEST_TIMEOUT", `fake: no answer within 250 ms; ${fix}`));
  expect(sent[1]).toEqual({
    jsonrpc: "2.0",
    method: "notifications/cancelled",
    params: { requestId: 1, reason: "timeout" },
  });
});

test("a cancelled call fails at once, and the server is told why", async () => {
  const { mux, sent } = multiplexer();
  const exchange = new Exchange(1000);
  const call = mux.request("tools/call", { name: "slow" }, exchange).catch((error) => error);
  exchange.cancel("changed my mind");
  exchange.cancel("again");
  expect(await call).toEqual(new FleetError("CANCELLED", "cancelled by the client: changed my mind"));
  expect(sent.slice(1)).toEqual([
    { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 1, reason: "changed my mind" } },
  ]);
});

test("when the connection ends, calls that reached the server fail as lost, others as never begun", async () => {
  const lost = new FleetError("INSTANCE_LOST", "fake: the server ended during the call (signal SIGKILL); call again");
  const unreached = new FleetError(
    "UPSTREAM_UNREACHABLE",
    "fake: the server ended before the call reached it (signal SIGKILL); call again",
  );
  for (const [reaches, expected] of [
    [true, lost],
    [false, unreached],
  ] as const) {
    const { mux } = multiplexer(reaches);
    const call = mux.request("ping", undefined, new Exchange(1000)).catch((error) => error);
    mux.end("signal SIGKILL");
    const error = await call;
    expect([error.code, error.message]).toEqual([expected.code, expected.message]);
    await expect(mux.request("ping", undefined, new Exchange(1000))).rejects.toThrow(unreached.message);
  }
});
