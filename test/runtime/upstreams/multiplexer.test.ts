import { expect, jest, test } from "@jest/globals";
import { FleetError } from "../../../runtime/errors.ts";
import { Exchange } from "../../../runtime/protocol/exchange.ts";
import { maxFollowed } from "../../../runtime/protocol/json-scan.ts";
import { RequestIds } from "../../../runtime/protocol/request-ids.ts";
import { maxUnsentBytes } from "../../../runtime/upstreams/multiplexer.ts";
import { settled } from "../../support/fake-connector.ts";
import { multiplexer } from "../../support/test-multiplexer.ts";

test("answers find their calls in any order, under ids of our own", async () => {
  const { mux, sent, say, idOf } = multiplexer();
  const one = mux.request("tools/call", { name: "a" }, new Exchange(1000));
  const two = mux.request("ping", undefined, new Exchange(1000));
  expect(sent).toEqual([
    { jsonrpc: "2.0", id: expect.any(Number), method: "tools/call", params: { name: "a" } },
    { jsonrpc: "2.0", id: expect.any(Number), method: "ping" },
  ]);
  say({ id: idOf(1), result: { two: 2 } });
  say({ id: idOf(0), error: { code: -32602, message: "no" } });
  say({ id: 99, result: {} });
  expect(await one).toEqual({ error: { code: -32602, message: "no" } });
  expect(await two).toMatchObject({ result: { two: 2 } });
  expect(mux.inFlight).toBe(0);
});

test("a doubled, late or foreign answer never reaches another call", async () => {
  const ids = new RequestIds();
  const [one, other] = [multiplexer(true, ids), multiplexer(true, ids)];
  const first = one.mux.request("tools/call", { name: "a" }, new Exchange(1000));
  one.say({ id: one.idOf(0), result: { of: "first" } });
  const second = one.mux.request("tools/call", { name: "b" }, new Exchange(1000));
  const elsewhere = other.mux.request("tools/call", { name: "c" }, new Exchange(1000));
  one.say({ id: one.idOf(0), result: { of: "first" } });
  // A server that answers on all of its connections.
  one.say({ id: other.idOf(0), result: { of: "elsewhere" } });
  other.say({ id: one.idOf(1), result: { of: "second" } });
  one.say({ id: one.idOf(1), result: { of: "second" } });
  other.say({ id: other.idOf(0), result: { of: "elsewhere" } });
  expect(await Promise.all([first, second, elsewhere])).toMatchObject([
    { result: { of: "first" } },
    { result: { of: "second" } },
    { result: { of: "elsewhere" } },
  ]);
});

const other = "fake: the answer has the request's id in another form";
test.each<[string, (id: number) => string, string | RegExp]>([
  ["a text", (id) => `{"jsonrpc":"2.0","id":"${id}","result":{}}`, other],
  ["a fraction", (id) => `{"jsonrpc":"2.0","id":${id}.0,"result":{}}`, other],
  ["an exponent", (id) => `{"jsonrpc":"2.0","id":${id}e0,"error":{"code":1,"message":"x"}}`, other],
  [
    "both members",
    (id) => `{"jsonrpc":"2.0","id":${id},"result":{},"error":{}}`,
    /^fake: Invalid request: .*"result":{}/,
  ],
  ["no version", (id) => `{"id":${id},"error":{"code":1}}`, /^fake: Invalid request: "jsonrpc" must be "2.0"/],
  [
    "no JSON",
    (id) => `{"jsonrpc":"2.0","id":${id},"result":{"secret":[}}`,
    /^fake: the answer is not JSON \(\d+ characters\)$/,
  ],
  ["no id", () => '{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"secret"}}', /its id is null\)$/],
])("an answer with %s fails its call at once", async (_what, answer, problem) => {
  const { mux, idOf } = multiplexer();
  const call = mux.request("tools/call", {}, new Exchange(1000)).catch((error) => error);
  mux.receive(answer(idOf(0)));
  const { code, message } = await call;
  expect([code, message]).toEqual([
    "UPSTREAM_PROTOCOL",
    typeof problem === "string" ? problem : expect.stringMatching(problem),
  ]);
});

test.each([
  [{ result: { done: true }, error: null }, { result: { done: true } }],
  [{ result: null, error: { code: 1, message: "no" } }, { error: { code: 1, message: "no" } }],
])("null beside the other member is taken for absent: %j", async (said, expected) => {
  const { mux, say, idOf } = multiplexer();
  const call = mux.request("tools/call", {}, new Exchange(1000));
  say({ id: idOf(0), ...said });
  expect(await call).toEqual(expected);
});

test("an array of answers: each goes to the call with its id", async () => {
  const { mux, idOf } = multiplexer();
  const calls = [0, 1].map(() => mux.request("tools/call", {}, new Exchange(1000)));
  const answer = (n: number) => JSON.stringify({ jsonrpc: "2.0", id: idOf(n), result: { n } });
  mux.receive(`[${answer(1)}, ${answer(0)},\n${answer(1)}, [${answer(0)}], 7]`);
  expect(await Promise.all(calls)).toMatchObject([{ result: { n: 0 } }, { result: { n: 1 } }]);
});

test("an answer with more values than can be read fails its call alone, an array of them ends the connection", async () => {
  const failed: string[] = [];
  const { mux, idOf } = multiplexer(true, new RequestIds(), { fail: (reason) => failed.push(reason) });
  const call = mux.request("tools/call", {}, new Exchange(1000)).catch((error) => [error.code, error.message]);
  const data = `[${"[],".repeat(200_000)}[]]`;
  const answer = `{"jsonrpc":"2.0","id":${idOf(0)},"error":{"code":1,"message":"no","data":${data}}}`;
  mux.receive(`[${answer}]`);
  const why = "it has more than 250000 values";
  expect(failed).toEqual([`the server sent an array of messages that cannot be read: ${why}`]);
  expect(mux.inFlight).toBe(1);
  mux.receive(answer);
  expect(await call).toEqual(["UPSTREAM_PROTOCOL", `fake: Invalid request: ${why}: ${answer.slice(0, 200)}`]);
});

test("an error without an id fails nobody's call when it can be about another one", async () => {
  const { mux, sent, say, idOf } = multiplexer();
  const given = new Exchange(1000);
  const call = mux.request("tools/call", {}, given).catch((error) => error.code);
  given.cancel("over");
  const next = mux.request("tools/call", {}, new Exchange(1000));
  say({ id: null, error: { code: -32700, message: "of the first" } });
  say({ id: idOf(sent.length - 1), result: { done: true } });
  expect([await call, await next]).toMatchObject(["CANCELLED", { result: { done: true } }]);
});

test("two clients may use the same progress token: each hears its own progress, under its own token", async () => {
  const { mux, sent, heard, say, idOf } = multiplexer();
  const said: unknown[][] = [[], []];
  const calls = [0, 1].map((n) =>
    mux.request(
      "tools/call",
      { name: "slow", _meta: { progressToken: "p", other: n } },
      new Exchange(1000, (...words) => said[n]?.push(words)),
    ),
  );
  expect(sent.map(({ params }) => params)).toEqual([
    { name: "slow", _meta: { progressToken: idOf(0), other: 0 } },
    { name: "slow", _meta: { progressToken: idOf(1), other: 1 } },
  ]);
  say({ method: "notifications/progress", params: { progressToken: idOf(1), progress: 5 } });
  say({ method: "notifications/progress", params: { progressToken: 7, progress: 5 } });
  expect(said).toEqual([[], [["notifications/progress", { progressToken: "p", progress: 5 }]]]);
  for (const n of [0, 1]) say({ id: idOf(n), result: {} });
  await Promise.all(calls);
  expect(heard).toEqual([]);
});

test("progress finds its call when the server writes the token as 7.0, and keeps its digits", async () => {
  const { mux, say, idOf } = multiplexer();
  const said: string[] = [];
  const call = mux.request(
    "tools/call",
    { _meta: { progressToken: "p" } },
    new Exchange(1000, (_method, params) => said.push(JSON.stringify(params))),
  );
  const params = `{"progressToken":${idOf(0)}.0,"progress":1.0}`;
  mux.receive(`{"jsonrpc":"2.0","method":"notifications/progress","params":${params}}`);
  expect(said).toEqual(['{"progressToken":"p","progress":1.0}']);
  say({ id: idOf(0), result: {} });
  await call;
});

test("a log line goes to the only call in flight, else to nobody's call", async () => {
  const { mux, heard, say, idOf } = multiplexer();
  const said: unknown[] = [];
  const call = mux.request("tools/call", {}, new Exchange(1000, (method) => said.push(method)));
  // The gateway asks for lists and whether the server answers when it likes: their callers are nobody.
  for (const method of ["ping", "tools/list"]) void mux.request(method, undefined, new Exchange(1000)).catch(() => {});
  say({ method: "notifications/message", params: { data: 1 } });
  void mux.request("tools/call", {}, new Exchange(1000)).catch(() => {});
  say({ method: "notifications/message", params: { data: 2 } });
  say({ id: idOf(0), result: {} });
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

test("calls to a server that reads nothing are refused past a bound, and taken when it reads again", async () => {
  let unsent = maxUnsentBytes + 1;
  const { mux, sent, say, idOf } = multiplexer(true, undefined, { unsent: () => unsent });
  mux.notify("notifications/roots/list_changed");
  const refused = await mux.request("ping", undefined, new Exchange(1000)).catch((error) => error);
  const text = `fake: ${maxUnsentBytes} bytes wait for the server, which does not read; call again later`;
  expect([sent, refused]).toEqual([[], new FleetError("OVERLOADED", text)]);
  unsent = 0;
  const call = mux.request("ping", undefined, new Exchange(1000));
  say({ id: idOf(0), result: {} });
  expect(await call).toMatchObject({ result: {} });
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
    params: { requestId: sent[0]?.id, reason: "timeout" },
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
    {
      jsonrpc: "2.0",
      method: "notifications/cancelled",
      params: { requestId: sent[0]?.id, reason: "changed my mind" },
    },
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

test.each([
  ["first", (id: number, result: string) => `{"jsonrpc":"2.0","id":${id},"result":${result}}`],
  ["last", (id: number, result: string) => `{"result":${result},"jsonrpc":"2.0","id":${id}}`],
])("an answer with more structure than can be followed fails its call at once (id %s)", async (_where, write) => {
  const { mux, idOf } = multiplexer();
  const call = mux.request("tools/call", { name: "a" }, new Exchange(60_000));
  mux.receive(write(idOf(0), `[${"[],".repeat(maxFollowed / 3)}[]]`));
  await expect(call).rejects.toMatchObject({
    code: "UPSTREAM_PROTOCOL",
    message: expect.stringMatching(/^fake: Invalid request: it has more than 250000 values: /),
  });
});
