import { expect, test } from "@jest/globals";
import { Exchange } from "../../../runtime/protocol/exchange.ts";
import type { RpcReply } from "../../../runtime/protocol/json-rpc.ts";
import { ModernSession } from "../../../runtime/upstreams/modern-session.ts";

const wanting: RpcReply = { result: { resultType: "input_required", inputRequests: {}, requestState: "again" } };

/** A session with a server that takes `takes` milliseconds for each answer and wants input until it has answered `rounds` times. */
function sessionWith(rounds: number, takes: number) {
  let time = 0;
  const given: number[] = [];
  const wire = {
    request: (_method: string, _params: object, exchange: Exchange) => {
      given.push(exchange.remainingMs);
      time += takes;
      return Promise.resolve(given.length < rounds ? wanting : { result: { resultType: "complete", content: [] } });
    },
    listen: () => ({ ended: Promise.resolve(true), close: () => {} }),
    ended: new Promise<string>(() => {}),
    close: () => Promise.resolve(),
  };
  const events = { onNotification: () => {} };
  const discovered = { supportedVersions: ["2026-07-28"], capabilities: {} };
  const session = new ModernSession("notes", wire, events, { name: "test", version: "1" }, discovered, () => time);
  return { session, given };
}

test("each round of a call that wants input has what the rounds before have left", async () => {
  const { session, given } = sessionWith(3, 400);
  const exchange = new Exchange(1000);
  exchange.deadline = 1000;
  expect(await session.request("tools/call", { name: "look" }, exchange)).toEqual({ result: { content: [] } });
  expect(given).toEqual([1000, 600, 200]);
});

test("a call of the gateway itself, which has no deadline, has no more time than its first round", async () => {
  const { session, given } = sessionWith(20, 400);
  const failure = session.request("tools/list", undefined, new Exchange(1000));
  await expect(failure).rejects.toMatchObject({ code: "REQUEST_TIMEOUT" });
  expect(given).toEqual([1000, 600, 200]);
});
