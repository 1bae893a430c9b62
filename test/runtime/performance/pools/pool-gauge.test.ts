import { expect, test } from "@jest/globals";
import { Registry } from "prom-client";
import { ConnectionPoolManager, RequestBatchingEngine } from "../../../../runtime/index.ts";

test("two pool managers can share a registry, and the pools of each are told until it is closed", async () => {
  const registry = new Registry();
  const [one, other] = [new ConnectionPoolManager({ registry }), new ConnectionPoolManager({ registry })];
  one.createPool("docs", "http://127.0.0.1:9/mcp", "http", { minConnections: 0 });
  other.createPool("notes", "http://127.0.0.1:9/mcp", "http", { minConnections: 0 });
  const told = async () => {
    const metric = await registry.getSingleMetric("mcp_connection_pool_connections")?.get();
    return metric?.values.map(({ labels, value }) => [labels.pool, value]);
  };
  expect(await told()).toEqual([
    ["docs", 0],
    ["notes", 0],
  ]);
  await one.close();
  expect(await told()).toEqual([["notes", 0]]);
  await other.close();
});

test("two batching engines can share a registry", async () => {
  const registry = new Registry();
  const engines = [1, 2].map(() => new RequestBatchingEngine({}, {}, { registry }));
  expect(registry.getSingleMetric("mcp_batch_size")).toBeDefined();
  for (const engine of engines) await engine.close();
});
