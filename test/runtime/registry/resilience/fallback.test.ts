import { expect, test } from "@jest/globals";
import { FleetError } from "../../../../runtime/errors.ts";
import { Exchange } from "../../../../runtime/protocol/exchange.ts";
import type { Params } from "../../../../runtime/protocol/json-rpc.ts";
import type { Fleet } from "../../../../runtime/registry/fleet.ts";
import { fallback } from "../../../../runtime/registry/resilience/fallback.ts";
import { Repeatable } from "../../../../runtime/registry/resilience/repeatable.ts";

/** A fleet whose circuit is open, with two that take its calls; `forbidden` names those that the caller may not use. */
function set(forbidden: readonly string[] = []) {
  const asked: string[] = [];
  const used: string[] = [];
  const fleetNamed = (name: string) =>
    ({
      name,
      call: async (_client: unknown, method: string) => {
        asked.push(`${name} ${method}`);
        return { result: name };
      },
    }) as unknown as Fleet;
  const repeatable = new Repeatable([], () => undefined);
  const options = { names: ["second", "third"], fleetNamed, repeatable, onFallback: () => used.push("fallback") };
  const call = fallback(options, async () => {
    throw new FleetError("CIRCUIT_OPEN", "open");
  });
  const send = async (method: string, params: Params = { name: "a" }) => {
    const exchange = new Exchange(1000);
    exchange.judge = {
      async check(fleet) {
        const { name } = fleet as Fleet;
        if (forbidden.includes(name)) throw new FleetError("FORBIDDEN", name);
      },
    };
    const fleets = new Set<string>();
    const outcome = await call({ owner: "o", caller: "ann", fleets }, method, params, exchange).then(
      (reply) => ("result" in reply ? reply.result : reply),
      ({ code }) => code,
    );
    return { outcome, fleets: [...fleets], fellBack: exchange.fellBack };
  };
  return { asked, used, send };
}

test("a call that its server cannot take goes to the next one", async () => {
  const { asked, used, send } = set();
  expect(await send("tools/call")).toEqual({ outcome: "second", fleets: ["second"], fellBack: true });
  expect([asked, used]).toEqual([["second tools/call"], ["fallback"]]);
});

test("a fallback does not open to a caller a server that it may not use", async () => {
  const { asked, used, send } = set(["second"]);
  expect(await send("tools/call")).toEqual({ outcome: "third", fleets: ["third"], fellBack: true });
  expect([asked, used]).toEqual([["third tools/call"], ["fallback"]]);
  const neither = set(["second", "third"]);
  expect(await neither.send("tools/call")).toEqual({ outcome: "CIRCUIT_OPEN", fleets: [], fellBack: false });
  expect(neither.asked).toEqual([]);
});

test("tasks stay with their server", async () => {
  const { asked, send } = set();
  expect((await send("tasks/get", { taskId: "t" })).outcome).toBe("CIRCUIT_OPEN");
  expect((await send("tools/call", { name: "a", task: {} })).outcome).toBe("CIRCUIT_OPEN");
  expect(asked).toEqual([]);
});
