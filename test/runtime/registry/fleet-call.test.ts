import { expect, test } from "@jest/globals";
import { Exchange } from "../../../runtime/protocol/exchange.ts";
import type { Fleet } from "../../../runtime/registry/fleet.ts";
import { type FleetStage, pipelineOf } from "../../../runtime/registry/fleet-call.ts";

const fleet = { name: "fake" } as Fleet;

test("stages wrap each other once, the first of the list outermost", async () => {
  const log: string[] = [];
  const stage =
    (name: string): FleetStage =>
    (next, { name: of }) => {
      log.push(`made ${name} of ${of}`);
      return async (client, method, params, exchange) => {
        log.push(name);
        return next(client, method, params, exchange);
      };
    };
  const pipeline = pipelineOf([stage("outer"), stage("inner")], async (_client, method) => ({ result: method }), fleet);
  for (let call = 0; call < 2; call += 1) {
    const reply = await pipeline({ owner: "anna", caller: undefined }, "ping", undefined, new Exchange(1000));
    expect(reply).toEqual({ result: "ping" });
  }
  expect(log).toEqual(["made inner of fake", "made outer of fake", "outer", "inner", "outer", "inner"]);
});

test("without stages there is only the last one", () => {
  const last = async () => ({ result: {} });
  expect(pipelineOf([], last, fleet)).toBe(last);
});
