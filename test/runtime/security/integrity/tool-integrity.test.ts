import { expect, test } from "@jest/globals";
import pino from "pino";
import type { Integrity } from "../../../../runtime/config/schema/index.ts";
import type { SecurityMetrics } from "../../../../runtime/observability/security-metrics.ts";
import { Exchange } from "../../../../runtime/protocol/exchange.ts";
import type { Fleet } from "../../../../runtime/registry/fleet.ts";
import { ToolIntegrity } from "../../../../runtime/security/integrity/tool-integrity.ts";

const tool = (name: string, description = "") => ({ name, description });
const hidden = "\u202e";
function integrityOf(mode: Integrity["mode"]) {
  const metrics = { toolHeld: () => {} } as unknown as SecurityMetrics;
  const it = new ToolIntegrity({
    server: "notes",
    integrity: { mode },
    file: undefined,
    metrics,
    log: pino({ level: "silent" }),
  } as ConstructorParameters<typeof ToolIntegrity>[0]);
  const fleet = { name: "notes", catalog: { toolCount: 1 } } as unknown as Fleet;
  const stage = it.stage(async () => ({ result: "called" }), fleet);
  const call = (name: string) =>
    stage({ owner: "anna", caller: undefined }, "tools/call", { name }, new Exchange(1000)).then(
      () => "called",
      ({ code }) => code,
    );
  return { it, call };
}

const own = [tool("known"), tool("known-changed", "new words"), tool("other"), tool("flawed", hidden)];
test.each<[Integrity["mode"], string[]]>([
  ["off", ["known", "known-changed", "other"]],
  ["warn", ["known", "known-changed", "other"]],
  ["block", ["known", "other"]],
  ["approve", ["known"]],
])(
  "of an instance that one owner has to itself, mode %s shows what may be called, and learns nothing",
  async (mode, shown) => {
    const { it, call } = integrityOf(mode);
    const everybody = [tool("known"), tool("known-changed", "old words")];
    it.screen(everybody);
    if (mode === "approve") for (const { name } of everybody) it.approve(name, undefined);
    expect(it.permitted(own).map(({ name }) => name)).toEqual(shown);
    const calls = await Promise.all(own.map(({ name }) => call(name)));
    expect(calls).toEqual(own.map(({ name }) => (shown.includes(name) ? "called" : "TOOL_HELD")));
    // The next list of everybody's does not set free what was held.
    it.screen(everybody);
    expect([await call("flawed"), it.held.map(({ tool }) => tool)]).toEqual([
      "TOOL_HELD",
      own
        .map(({ name }) => name)
        .filter((name) => (mode === "warn" ? /changed|flawed/.test(name) : !shown.includes(name))),
    ]);
    // What the owner's instance showed first is no pin for others.
    if (mode !== "approve") expect(it.screen([tool("other", "of somebody else")])).toHaveLength(1);
  },
);

test("tools of one owner's that are held are remembered up to a thousand", () => {
  const { it } = integrityOf("approve");
  for (let n = 0; n < 1001; n += 1) it.permitted([tool(`tool-${n}`)]);
  expect([it.held.length, it.held[0]?.tool]).toEqual([1000, "tool-1"]);
});
