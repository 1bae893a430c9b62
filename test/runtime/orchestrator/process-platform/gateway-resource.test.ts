import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { GatewayResource } from "../../../../runtime/orchestrator/process-platform/gateway-resource.ts";

test("a preview finds the expressions that are none, also where a program knew them only late", async () => {
  const stateDirectory = await mkdtemp(join(tmpdir(), "gateway-resource-test-"));
  try {
    const check = (when: string) =>
      new GatewayResource("main.js").check({
        ...{ name: "gateway", stateDirectory, fleets: [] },
        gateway: { port: 0, authorization: { rules: [{ effect: "allow", when }] } },
      });
    expect(await check('"admin" in caller.roles')).toEqual({ ok: true, failures: [] });
    const fix = 'write it in CEL over caller, server, method, tool, name and args, like `"admin" in caller.roles`';
    const reason = `authorization.rules[0].when: is "1 + 1", which is no condition: it is of type int, not bool; ${fix}`;
    expect(await check("1 + 1")).toEqual({ ok: true, failures: [{ property: "gateway", reason }] });
  } finally {
    await rm(stateDirectory, { recursive: true });
  }
});
