import { expect, test } from "@jest/globals";
import { type MCPServerConfig, serverOf } from "../../../runtime/programs/mcp-server-config.ts";
import { RequestAllowance } from "../../../runtime/programs/request-allowance.ts";

const custom = (more: Partial<MCPServerConfig>): MCPServerConfig => ({ name: "docs", type: "custom", ...more });
const remote = { type: "custom", isolation: "shared" };

test.each<[MCPServerConfig, object]>([
  [
    { name: "context7", type: "context7", version: "4.1.1" },
    { type: "context7", version: "4.1.1" },
  ],
  [custom({ endpoint: "http://docs:3001/mcp" }), { ...remote, endpoints: ["http://docs:3001/mcp"] }],
  [custom({ endpoint: "docs", port: 3001 }), { ...remote, endpoints: ["http://docs:3001/mcp"] }],
  [custom({ endpoint: "docs", security: { tlsEnabled: true } }), { ...remote, endpoints: ["https://docs/mcp"] }],
  [
    custom({ endpoint: "docs", security: { apiKey: "k" } }),
    { ...remote, endpoints: ["http://docs/mcp"], credentials: { header: { scheme: "Bearer", value: "k" } } },
  ],
  [custom({ endpoint: "docs", protocol: "ws", port: 81 }), { ...remote, endpoints: ["ws://docs:81/"] }],
  [custom({ endpoint: "docs", protocol: "tcp", port: 9000 }), { ...remote, endpoints: ["tcp://docs:9000"] }],
  [
    custom({ endpoint: "http://docs/x", scaling: { maxInstances: 2 }, settings: { tools: { deny: ["a"] } } }),
    { ...remote, endpoints: ["http://docs/x"], scaling: { maxInstances: 2 }, tools: { deny: ["a"] } },
  ],
  [
    { name: "context7", type: "context7", scaling: { targetCpuPercent: 70, targetMemoryPercent: 80 } },
    { type: "context7", scaling: { targetCpuPercent: 70, targetMemoryPercent: 80 } },
  ],
  // Something else scales what is at an endpoint; the targets say how calls are placed there.
  [
    custom({ endpoint: "docs", version: "2.1.0", scaling: { maxInstances: 2, targetCpuPercent: 70 } }),
    {
      ...{ ...remote, version: "2.1.0", endpoints: ["http://docs/mcp"] },
      ...{ scaling: { maxInstances: 2 }, loadBalancer: { strategy: "resource-based" } },
    },
  ],
])("%j", (config, server) => {
  expect(serverOf(config)).toEqual(server);
});

test("where clients call, too, each has a session of its own, and its requests are counted", () => {
  const security = { rateLimiting: { windowMs: 1000, maxRequests: 2 } };
  const [alone, listening] = [false, true].map((listens) => serverOf(custom({ endpoint: "docs", security }), listens));
  expect(alone).toEqual({ ...remote, endpoints: ["http://docs/mcp"] });
  expect(listening).toEqual({
    type: "custom",
    endpoints: ["http://docs/mcp"],
    rateLimiting: { windowMs: 1000, maxRequests: 2 },
  });
  expect(serverOf(custom({ endpoint: "docs", settings: { isolation: "shared" } }), true)).toMatchObject(remote);
});

test.each<[MCPServerConfig, string]>([
  [
    custom({ name: "My docs" }),
    'server "My docs": name may have lower case letters, digits and hyphens, at most 32 characters',
  ],
  [
    custom({ endpoint: "ws://docs", protocol: "http" }),
    'server "docs": endpoint is "ws://docs", which protocol http cannot reach',
  ],
  [
    custom({ endpoint: "docs", protocol: "tcp", security: { tlsEnabled: true } }),
    'server "docs": security.tlsEnabled is true, which protocol tcp cannot; use ws or http',
  ],
  [
    custom({ endpoint: "docs", security: { rateLimiting: { windowMs: 0, maxRequests: 1 } } }),
    'server "docs": security.rateLimiting.windowMs is 0; it must be a whole number from 1',
  ],
  [
    { name: "playwright", type: "playwright", scaling: { targetCpuPercent: 70 } },
    'server "playwright": scaling.targetCpuPercent: is given, but isolation is "session", which gives each its own process; remove it, or set isolation to shared',
  ],
  [
    { name: "magic", type: "magic", security: { apiKey: "k" } },
    'server "magic": security.apiKey is for a server with an endpoint; give a server that is started here its secret in its environment',
  ],
  [custom({}), 'server "docs": '],
])("%j is refused", (config, message) => {
  expect(() => serverOf(config)).toThrow(message);
});

test("an allowance is for a window of time", () => {
  let time = 0;
  const allowance = new RequestAllowance(1000, 2, () => time);
  allowance.take("docs");
  allowance.take("docs");
  time = 400;
  expect(() => allowance.take("docs")).toThrow("docs: 2 requests in 1000 ms are made; call again in 600 ms");
  time = 1000;
  allowance.take("docs");
});

test("a preset that is reached at an endpoint keeps its method names", () => {
  expect(serverOf({ name: "sequential", type: "sequential", endpoint: "http://docs/mcp" })).toEqual({
    type: "sequential",
    isolation: "shared",
    endpoints: ["http://docs/mcp"],
  });
});

test.each<[Partial<MCPServerConfig>, string]>([
  [{ port: 80 }, 'server "context7": port is for a server with an endpoint; add the endpoint, or remove it'],
  [{ protocol: "ws" }, 'server "context7": protocol is for a server with an endpoint; add the endpoint, or remove it'],
  [
    { security: { tlsEnabled: true } },
    'server "context7": security.tlsEnabled is for a server with an endpoint; add the endpoint, or remove it',
  ],
])("%j without an endpoint is refused", (more, message) => {
  expect(() => serverOf({ name: "context7", type: "context7", ...more })).toThrow(message);
});
