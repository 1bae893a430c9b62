import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { request } from "undici";
import { statefulServer, TestGateway } from "../support/gateway.ts";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await TestGateway.start({
    gateway: { session: { maxSessions: 4 }, connections: { maxConnections: 50 } },
    servers: { stateful: statefulServer({ concurrency: { maxInFlight: 4 } }) },
  });
});
afterAll(() => gateway.close());

/** How full each bound is: `sessions`, `calls of stateful`. */
async function utilization(): Promise<Record<string, number>> {
  const text = await (await request(`${gateway.url}/metrics`)).body.text();
  const lines = text.matchAll(/^mcp_bound_utilization\{bound="(\w+)",server="(\w*)",when_full="\w+"\} (.+)$/gm);
  return Object.fromEntries(
    [...lines].map(([, bound, server, value]) => [server === "" ? bound : `${bound} of ${server}`, Number(value)]),
  );
}

test("every bound that docs/bounds.md names a metric for is on /metrics, and nothing else", async () => {
  const page = readFileSync(join(import.meta.dirname, "../../docs/bounds.md"), "utf8");
  const metrics = page.split("\n").flatMap((line) => line.split(" | ")[4] ?? []);
  const named = metrics.flatMap((cell) => [...cell.matchAll(/`([a-z_]+)`/g)].map(([, name]) => name as string));
  const own = new Set(named.filter((name) => !name.startsWith("mcp_")));
  const found = new Set(Object.keys(await utilization()).map((name) => name.split(" ")[0]));
  expect([...found].sort()).toEqual([...own].sort());
});

test("sessions, calls, connections and the heap are nearer to their bounds when there are more of them", async () => {
  expect(await utilization()).toMatchObject({ sessions: 0, "calls of stateful": 0 });
  const clients = await Promise.all([1, 2].map(() => gateway.connect("/mcp/stateful")));
  const call = clients[0]?.callTool({ name: "slow", arguments: { steps: 20, ms: 50 } });
  let full = await utilization();
  for (let tries = 0; full["calls of stateful"] !== 0.25 && tries < 100; tries += 1) full = await utilization();
  expect(full).toMatchObject({ sessions: 0.5, "calls of stateful": 0.25, "instances of stateful": expect.any(Number) });
  expect([full.connections as number, full.heap as number].every((share) => share > 0 && share < 1)).toBe(true);
  await call;
});
