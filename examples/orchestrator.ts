import { randomUUID } from "node:crypto";
import {
  ClusterCoordinator,
  ConnectionPoolManager,
  MCPServerOrchestrator,
  RequestBatchingEngine,
} from "mcp-fleet/runtime";

// `npx mcp-fleet host --port 3001 …` serves this: an MCP server with /mcp and /batch.
const server = process.env.MCP_SERVER_URL ?? "http://127.0.0.1:3001";

// Nodes of a cluster meet here; in production one process of its own: `npx mcp-fleet coordinator`.
const token = process.env.MCP_FLEET_COORDINATOR_TOKEN ?? randomUUID();
const coordinator = await ClusterCoordinator.start({ token });
const orchestrator = new MCPServerOrchestrator({
  loadBalancer: {
    strategy: "resource-based",
    healthCheckInterval: 30000,
    unhealthyThreshold: 3,
    stickySession: false,
  },
  monitoring: { metricsInterval: 15000, logLevel: "info" },
  clustering: { enabled: true, nodeId: "node-1", coordinatorEndpoint: coordinator.url, token },
});
// A strategy of your own: of all instances the one with the fewest calls in flight.
orchestrator.registerLoadBalancer("fewest", () => ({
  pick: (candidates) => candidates.reduce((best, one) => (one.inFlight < best.inFlight ? one : best)),
}));
await orchestrator.registerServer({
  ...{ name: "docs", type: "custom", endpoint: `${server}/mcp` },
  settings: { loadBalancer: { strategy: "custom:fewest" } },
});
console.log("tools", await orchestrator.executeRequest("docs", "tools/list"));

const connectionPool = new ConnectionPoolManager();
const pool = connectionPool.createPool(
  "docs-pool",
  `${server}/mcp`,
  "http",
  { minConnections: 5, maxConnections: 50, acquireTimeout: 30000, idleTimeout: 300000, evictionPolicy: "lru" },
  { timeout: 10000 },
);
await pool.warmUp();
console.log("pool", pool.statistics());

const batchingEngine = new RequestBatchingEngine(
  {
    maxBatchSize: 50,
    batchTimeout: 100,
    deduplication: { enabled: true },
    compression: { enabled: true, threshold: 1024 },
  },
  { resourcesMs: 60000 },
);
batchingEngine.addEndpoint("docs", `${server}/batch`);
const lists = [1, 2, 3].map(() => batchingEngine.execute("docs", "tools/list", {}, { priority: "high" }));
await Promise.all(lists);
console.log("batches", batchingEngine.statistics());

await batchingEngine.close();
await connectionPool.close();
await orchestrator.close();
await coordinator.close();
