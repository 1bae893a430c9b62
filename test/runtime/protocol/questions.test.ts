import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import type { FleetError } from "../../../runtime/errors.ts";
import { Exchange, type ExchangeClient } from "../../../runtime/protocol/exchange.ts";
import type { RpcReply } from "../../../runtime/protocol/json-rpc.ts";
import { goneMs, maxAskedMs, maxOfCall, maxOpenOfCall, questionMs } from "../../../runtime/protocol/questions.ts";
import { settled } from "../../support/fake-connector.ts";

beforeEach(() => void jest.useFakeTimers({ doNotFake: ["setImmediate"] }));
afterEach(() => void jest.useRealTimers());

/** A call whose client answers when the test says so. */
function asked() {
  const open: ((reply: RpcReply) => void)[] = [];
  const client = {
    owner: "anna",
    modern: false,
    capabilities: {},
    clientInfo: undefined,
    logLevel: undefined,
    present: true,
    ask: (_method: string, _params: unknown, question: { onWithdrawn(cb: (error: FleetError) => void): void }) =>
      new Promise<RpcReply>((resolve, reject) => {
        open.push(resolve);
        question.onWithdrawn(reject);
      }),
  };
  const exchange = new Exchange(1000, undefined, client as ExchangeClient);
  const ended: string[] = [];
  exchange.onCancel(() => ended.push(exchange.failure.code));
  const ask = () =>
    exchange.ask("elicitation/create", {}).then(
      (reply) => ("result" in reply ? reply.result : reply.error),
      ({ code, message }: FleetError) => `${code} ${message}`,
    );
  return { client, exchange, ended, ask, open };
}

const answer = { result: "yes" };

test("a call has a bounded number of questions open, and may ask again when one is answered", async () => {
  const { ask, open, ended } = asked();
  const first = Array.from({ length: maxOpenOfCall }, ask);
  const text = "16 questions of this call wait for the client; ask again when one is answered";
  expect(await ask()).toBe(`OVERLOADED elicitation/create: ${text}`);
  open[0]?.(answer);
  expect(await first[0]).toBe("yes");
  const next = ask();
  open.at(-1)?.(answer);
  expect([await next, open.length, ended]).toEqual(["yes", maxOpenOfCall + 1, []]);
});

test("a server that asks without end fails its call", async () => {
  const { ask, open, ended } = asked();
  for (let count = 0; count < maxOfCall; count += 1) {
    const reply = ask();
    open.at(-1)?.(answer);
    expect(await reply).toBe("yes");
  }
  const text = "the server asked the client more than 256 times in one call; correct the server";
  expect(await ask()).toBe(`UPSTREAM_PROTOCOL ${text}`);
  expect(ended).toEqual(["UPSTREAM_PROTOCOL"]);
  expect(await ask()).toBe(`UPSTREAM_PROTOCOL ${text}`);
  expect(open.length).toBe(maxOfCall);
});

test("a question that nobody answers ends, and the call's own time goes on", async () => {
  const { ask, exchange, ended } = asked();
  const reply = ask();
  let grantedMs = 0;
  for (let ms = exchange.overtimeMs(); ms > 0; ms = exchange.overtimeMs()) {
    grantedMs += ms;
    await jest.advanceTimersByTimeAsync(ms);
  }
  expect(await reply).toBe("REQUEST_TIMEOUT elicitation/create: the client did not answer within 600000 ms");
  expect([grantedMs, ended]).toEqual([questionMs, []]);
});

test("however often a client is asked, its call ends", async () => {
  const { ask, exchange } = asked();
  let grantedMs = 0;
  const again = (): Promise<void> => ask().then(() => (exchange.cancelled === undefined ? again() : undefined));
  const asking = again();
  for (let ms = exchange.overtimeMs(); ms > 0; ms = exchange.overtimeMs()) {
    grantedMs += ms;
    await jest.advanceTimersByTimeAsync(ms);
  }
  expect(grantedMs).toBe(maxAskedMs);
  exchange.cancel("its time is up");
  await asking;
});

test("the time that a client has taken is no longer the server's for any later request of the call", async () => {
  const { ask, open, exchange } = asked();
  exchange.deadline = 1000;
  const reply = ask();
  await jest.advanceTimersByTimeAsync(700);
  open.at(-1)?.(answer);
  await reply;
  // It is neither forgotten nor counted twice.
  expect([exchange.restMs(1200, 0), exchange.restMs(1300, 0), exchange.overtimeMs()]).toEqual([500, 400, 0]);
});

test("a call that is not asked anything has no time beside its own", () => {
  expect(asked().exchange.overtimeMs()).toBe(0);
});

test("a call ends whose client has neither stream nor connection, when it does not come back", async () => {
  const { client, ask, ended } = asked();
  const reply = ask();
  client.present = false;
  await jest.advanceTimersByTimeAsync(goneMs - 1000);
  client.present = true;
  await jest.advanceTimersByTimeAsync(goneMs);
  expect(ended).toEqual([]);
  client.present = false;
  await jest.advanceTimersByTimeAsync(goneMs + 1000);
  const gone = "CANCELLED the client has neither a stream nor a connection on which it could answer";
  expect([await reply, ended]).toEqual([gone, ["CANCELLED"]]);
});

test("a call that is cancelled, or over, withdraws its questions and leaves no timer", async () => {
  for (const end of ["cancel", "finished"] as const) {
    const { ask, exchange } = asked();
    const reply = ask();
    if (end === "cancel") exchange.cancel("enough");
    else exchange.finished();
    expect(await reply).toBe(
      `CANCELLED ${end === "cancel" ? "cancelled by the client: enough" : "the call has ended"}`,
    );
    await settled();
    expect(jest.getTimerCount()).toBe(0);
  }
});
