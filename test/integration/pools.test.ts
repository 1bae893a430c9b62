import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import { Registry } from "prom-client";
import { ConnectionPoolManager, type PoolProtocol } from "../../runtime/index.ts";
import { TestGateway } from "../support/gateway.ts";

const fixture = join(import.meta.dirname, "../fixtures/counting-server.mjs");
let far: TestGateway;
let pools: ConnectionPoolManager;
let registry: Registry;
// A gateway is a server over every protocol.
beforeAll(async () => {
  const process_ = { command: process.execPath, args: [fixture] };
  far = await TestGateway.start({
    gateway: { listeners: { tcp: { port: 0, server: "far" } } },
    servers: { far: { type: "custom", process: process_, isolation: "shared", scaling: { maxInstances: 1 } } },
  });
});
afterAll(() => far.close());
afterEach(() => pools.close());

const endpoints: Record<PoolProtocol, () => string> = {
  http: () => `${far.url}/mcp/far`,
  ws: () => `${far.url.replace("http", "ws")}/ws/far`,
  tcp: () => `tcp://127.0.0.1:${far.gateway.tcpPort}`,
  sse: () => `${far.url}/sse/far`,
  stdio: () => process.execPath,
};

test.each(["http", "ws", "tcp", "sse", "stdio"] as const)("a pool over %s", async (protocol) => {
  registry = new Registry();
  pools = new ConnectionPoolManager({ registry });
  const client = protocol === "stdio" ? { args: [fixture] } : {};
  const pool = pools.createPool(
    "far",
    endpoints[protocol](),
    protocol,
    { minConnections: 2, maxConnections: 3 },
    client,
  );
  await pool.warmUp();
  expect(pool.statistics()).toMatchObject({ total: 2, idle: 2, inUse: 0, opened: 2, failedToOpen: 0 });
  // Many calls at once on one connection.
  const results = await pool.use(async (connection) => {
    expect(await registry.metrics()).toContain('mcp_connection_pool_utilization{pool="far"} 0.3333333333333333');
    const calls = Array.from({ length: 20 }, (_, as) =>
      connection.request("tools/call", { name: "work", arguments: { as } }),
    );
    return Promise.all(calls);
  });
  expect(results.map((reply) => "result" in reply && (reply.result as { content: unknown }).content)).toEqual(
    Array.from({ length: 20 }, (_, index) => [{ type: "text", text: String(index) }]),
  );
  await pools.tend();
  expect(pool.statistics()).toMatchObject({ total: 2, idle: 2, inUse: 0, acquired: 3, lost: 0, unhealthy: 0 });
});

test("what cannot be reached says so, and an id is taken once", async () => {
  pools = new ConnectionPoolManager();
  const pool = pools.createPool("away", "tcp://127.0.0.1:9", "tcp", { acquireTimeout: 200 });
  await expect(pool.acquire()).rejects.toMatchObject({ code: "UPSTREAM_UNREACHABLE" });
  expect(() => pools.createPool("away", "tcp://127.0.0.1:9", "tcp")).toThrow(
    'pool "away" exists already; close it first, or choose another id',
  );
  expect(() => pools.createPool("odd", "ftp://127.0.0.1", "http")).toThrow(
    'pool "odd": endpoint is "ftp://127.0.0.1"; it must be a URL of http',
  );
});
