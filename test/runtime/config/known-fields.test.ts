import { expect, test } from "@jest/globals";
import { checkBatchCache, resolveBatching } from "../../../runtime/performance/batching/batch-config.ts";
import { ConnectionPoolManager } from "../../../runtime/performance/pools/index.ts";
import { serverOf } from "../../../runtime/programs/mcp-server-config.ts";
import { MCPServerOrchestrator } from "../../../runtime/programs/mcp-server-orchestrator.ts";

// What a program writes is checked by TypeScript only where the program is TypeScript and the object is a literal.
const pool = (config: object, client: object = {}) => {
  const pools = new ConnectionPoolManager();
  try {
    pools.createPool("main", "http://127.0.0.1:1/mcp", "http", config, client);
  } finally {
    void pools.close();
  }
};
const server = (more: object) => serverOf({ name: "docs", type: "custom", endpoint: "docs", ...more });

test.each<[string, () => unknown, string]>([
  [
    "an orchestrator",
    () => new MCPServerOrchestrator({ loadBalanser: { strategy: "weighted" } } as object),
    'orchestrator: loadBalanser is not a known key; did you mean "loadBalancer"?',
  ],
  [
    "an orchestrator's cluster",
    () => new MCPServerOrchestrator({ clustering: { enable: true } } as object),
    'orchestrator: clustering.enable is not a known key; did you mean "enabled"?',
  ],
  [
    "a group that is no object",
    () => new MCPServerOrchestrator({ monitoring: true } as object),
    "orchestrator: monitoring is true; it must be an object",
  ],
  [
    "a server",
    () => server({ sekurity: { apiKey: "k" } }),
    'server "docs": sekurity is not a known key; did you mean "security"?',
  ],
  [
    "a server's security",
    () => server({ security: { tls: true } }),
    'server "docs": security.tls is not a known key; known keys are apiKey, corsOrigins, tlsEnabled, rateLimiting',
  ],
  [
    "a pool",
    () => pool({ maxConection: 4 }),
    'pool "main": maxConection is not a known key; did you mean "maxConnections"?',
  ],
  [
    "a pool's check",
    () => pool({ healthCheck: { timeoutMs: 4 } }),
    'pool "main": healthCheck.timeoutMs is not a known key; did you mean "timeout"?',
  ],
  [
    "a pool's client",
    () => pool({}, { timeOut: 4 }),
    'pool "main": clientConfig: timeOut is not a known key; did you mean "timeout"?',
  ],
  [
    "batching",
    () => resolveBatching({ priorities: { minimumPercent: { hihg: 20 } } } as object),
    'batching: priorities.minimumPercent.hihg is not a known key; did you mean "high"?',
  ],
  [
    "a cache",
    () => checkBatchCache({ stale: 4 } as object),
    'batching: cache: stale is not a known key; did you mean "staleMs"?',
  ],
])("%s with a setting that nobody reads is refused", (_, make, message) => {
  expect(make).toThrow(expect.objectContaining({ code: "CONFIG_INVALID", message }));
});

test("an inherited name is no known key", () => {
  expect(() => server({ security: { toString: 1 } })).toThrow("security.toString is not a known key");
});
