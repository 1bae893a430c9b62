import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterEach, expect, test } from "@jest/globals";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { request } from "undici";
import type { GatewayStatus, MCPServerConfig, OrchestratorOptions } from "../../runtime/index.ts";
import { CompleteMCPIntegration, MCPServerOrchestrator } from "../../runtime/index.ts";
import { HostProcess } from "../support/host-process.ts";

const root = join(import.meta.dirname, "../..");
const fixture = join(root, "test/fixtures/counting-server.mjs");
const counting = { process: { command: process.execPath, args: [fixture] }, isolation: "shared" as const };
let closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.reverse()) await close();
  closing = [];
});
const textOf = (result: unknown) => (result as { content: { text: string }[] }).content[0]?.text;
const orchestrate = (options: OrchestratorOptions = {}) => {
  const orchestrator = new MCPServerOrchestrator({ monitoring: { logLevel: "silent" }, ...options });
  closing.push(() => orchestrator.close());
  return orchestrator;
};

test("servers are registered, called, limited and taken away", async () => {
  const orchestrator = orchestrate({ monitoring: { logLevel: "silent", metricsInterval: 20 } });
  const told = new Promise<number>((resolve) => orchestrator.once("metrics", ({ servers }) => resolve(servers.length)));
  const security = { rateLimiting: { windowMs: 60_000, maxRequests: 2 } };
  await orchestrator.registerServer({ name: "counting", type: "custom", settings: counting, security });
  expect([await told, textOf(await orchestrator.executeRequest("counting", "count"))]).toEqual([1, "1"]);
  await orchestrator.executeRequest("counting", "count");
  await expect(orchestrator.executeRequest("counting", "count")).rejects.toMatchObject({ code: "RATE_LIMITED" });
  expect([await orchestrator.unregisterServer("counting"), await orchestrator.unregisterServer("counting")]).toEqual([
    true,
    false,
  ]);
  await expect(orchestrator.executeRequest("counting", "count")).rejects.toMatchObject({ code: "SERVER_UNKNOWN" });
});

test("a program's own strategy chooses; a server that names none of them is refused, and in nobody's way", async () => {
  const orchestrator = orchestrate();
  const picked: number[] = [];
  const settings = { ...counting, scaling: { minInstances: 2 }, loadBalancer: { strategy: "custom:last" } };
  const server = { name: "counting", type: "custom" as const, settings };
  await expect(orchestrator.registerServer(server)).rejects.toMatchObject({
    code: "CONFIG_INVALID",
    message:
      'servers.counting.loadBalancer.strategy: is "custom:last"; give one of round-robin, least-connections, weighted, resource-based, or register it before the gateway starts',
  });
  await orchestrator.registerServer({ ...server, name: "other", settings: counting });
  await expect(orchestrator.registerServer(server)).rejects.toMatchObject({ code: "CONFIG_INVALID" });
  orchestrator.registerLoadBalancer("last", () => ({
    pick(candidates) {
      picked.push(candidates.length);
      return candidates.at(-1) as (typeof candidates)[number];
    },
  }));
  await orchestrator.registerServer(server);
  const giveUp = Date.now() + 20_000;
  while (picked.length === 0 && Date.now() < giveUp) await orchestrator.executeRequest("counting", "count");
  expect(picked[0]).toBe(2);
});

const custom = (more: Partial<MCPServerConfig>): MCPServerConfig => ({ name: "counting", type: "custom", ...more });

test("where it listens, corsOrigins are for pages of these origins and no others", async () => {
  const orchestrator = orchestrate({ listen: { port: 0 } });
  await orchestrator.registerServer(custom({ settings: counting, security: { corsOrigins: ["https://app.example"] } }));
  const { url } = (await orchestrator.status()) as GatewayStatus;
  const ask = async (path: string, method: "OPTIONS" | "POST", headers: Record<string, string>) => {
    const answer = await request(url + path, { method, headers, ...(method === "POST" ? { body: "{}" } : {}) });
    await answer.body.dump();
    return [answer.statusCode, answer.headers["access-control-allow-origin"]];
  };
  const call = (origin: string) =>
    ask("/api/v1/servers/counting/tools/count", "POST", { origin, "content-type": "application/json" });
  const preflight = { origin: "https://app.example", "access-control-request-method": "POST" };
  expect([await ask("/mcp", "OPTIONS", preflight), await call("https://app.example")]).toEqual([
    [204, "https://app.example"],
    [200, "https://app.example"],
  ]);
  expect((await call("https://evil.example"))[0]).toBe(403);
  // Nobody is let in for a server that is not there.
  const wrong = { ...counting, loadBalancer: { strategy: "custom:nowhere" } };
  const refused = custom({ name: "wrong", settings: wrong, security: { corsOrigins: ["https://wrong.example"] } });
  await expect(orchestrator.registerServer(refused)).rejects.toMatchObject({ code: "CONFIG_INVALID" });
  await orchestrator.registerServer(custom({ name: "third", settings: counting }));
  expect((await call("https://wrong.example"))[0]).toBe(403);
  // Another server may come with others, when the port has long been open; with a server its origins go.
  const more = custom({ name: "other", settings: counting, security: { corsOrigins: ["https://other.example"] } });
  await orchestrator.registerServer(more);
  while ((await call("https://other.example"))[0] !== 200);
  expect((await call("https://app.example"))[0]).toBe(200);
  await orchestrator.unregisterServer("other");
  while ((await call("https://other.example"))[0] !== 403);
});

test("where it listens, rateLimiting bounds clients, and a server elsewhere has a session for each of them", async () => {
  const host = await HostProcess.start("counting", "isolation: session", fixture);
  closing.push(() => host.stop());
  const orchestrator = orchestrate({ listen: { port: 0 } });
  const security = { rateLimiting: { windowMs: 60_000, maxRequests: 3 } };
  await orchestrator.registerServer(custom({ endpoint: host.url, security }));
  const { url } = (await orchestrator.status()) as GatewayStatus;
  const connect = async () => {
    const client = new Client({ name: "test", version: "1" });
    await client.connect(new StreamableHTTPClientTransport(new URL("/mcp/counting", url)));
    closing.push(() => client.close());
    return client;
  };
  const count = (client: Client) =>
    client.callTool({ name: "count", arguments: {} }).then(textOf, ({ data }) => data.status);
  const [one, other] = [await connect(), await connect()];
  expect([await count(one), await count(one), await count(other)]).toEqual(["1", "2", "1"]);
  expect([await count(one), await count(other)]).toEqual([429, 429]);
});

test("a port that other machines reach is opened to nobody without authentication", () => {
  expect(() => orchestrate({ listen: { port: 0, host: "0.0.0.0" } })).toThrow(
    'listen.host is "0.0.0.0", which other machines reach; give listen.auth, or leave it at 127.0.0.1',
  );
});

test("the specification's MCPServerConfig with every field filled in is taken, and has effect", async () => {
  const host = await HostProcess.start("counting", "isolation: shared", fixture);
  closing.push(() => host.stop());
  const orchestrator = orchestrate({ listen: { port: 0 } });
  const { hostname: endpoint, port } = new URL(host.url);
  // Each field of the interface, in its order, with its type.
  const config: Required<Omit<MCPServerConfig, "settings">> = {
    name: "counting",
    type: "custom",
    version: "2.1.0",
    endpoint,
    protocol: "http",
    port: Number(port),
    scaling: { minInstances: 1, maxInstances: 4, targetCpuPercent: 70, targetMemoryPercent: 80 },
    security: {
      apiKey: "key-of-the-server",
      tlsEnabled: false,
      corsOrigins: ["https://app.example"],
      rateLimiting: { windowMs: 60_000, maxRequests: 2 },
    },
  };
  await orchestrator.registerServer(config);
  expect(textOf(await orchestrator.executeRequest("counting", "count"))).toBe("1");
  const { servers, url } = (await orchestrator.status()) as GatewayStatus;
  expect(servers).toMatchObject([{ name: "counting", version: "2.1.0" }]);
  const preflight = { origin: "https://app.example", "access-control-request-method": "POST" };
  const answer = await request(`${url}/mcp`, { method: "OPTIONS", headers: preflight });
  await answer.body.dump();
  expect(answer.headers["access-control-allow-origin"]).toBe("https://app.example");
  await orchestrator.executeRequest("counting", "count");
  await expect(orchestrator.executeRequest("counting", "count")).rejects.toMatchObject({ code: "RATE_LIMITED" });
});

test("processes that use more of the processor than their target get another one beside them", async () => {
  const orchestrator = orchestrate();
  // Whatever runs uses more than one percent of a processor while it starts and is called.
  const scaling = { minInstances: 1, maxInstances: 2, targetCpuPercent: 1 };
  await orchestrator.registerServer(custom({ settings: counting, scaling }));
  const instances = async () => (await orchestrator.status())?.servers[0]?.instances.total;
  while ((await instances()) !== 2) await orchestrator.executeRequest("counting", "count");
  expect(await instances()).toBe(2);
});

test("a program without a port has metrics", async () => {
  const orchestrator = orchestrate();
  expect(await orchestrator.metrics()).toBeUndefined();
  await orchestrator.registerServer(custom({ settings: counting }));
  await orchestrator.executeRequest("counting", "count");
  const lines = ((await orchestrator.metrics()) as string).split("\n");
  expect(lines).toContain('mcp_server_health_status{server="counting"} 1');
  expect(lines.filter((line) => line.startsWith("mcp_request_total{"))).toEqual([
    'mcp_request_total{server="counting",method="tools/call",status="ok"} 1',
  ]);
});

test("CompleteMCPIntegration takes other servers, and keeps what may be kept unless that is unwanted", async () => {
  const mcp = new CompleteMCPIntegration({
    logLevel: "silent",
    servers: { counting: { type: "custom", ...counting, cache: { tools: { count: 60_000 } } } },
  });
  closing.push(() => mcp.close());
  await expect(mcp.executeRequest("counting", "count")).rejects.toMatchObject({ code: "SERVER_UNKNOWN" });
  await mcp.setupProductionServers();
  const count = async (options = {}) => textOf(await mcp.executeRequest("counting", "count", {}, options));
  expect([
    await count(),
    await count(),
    await count({ useCache: false, priority: "high", metadata: { source: "test" } }),
  ]).toEqual(["1", "1", "2"]);
});

test("examples/orchestrator.ts does what it says", async () => {
  const host = await HostProcess.start("counting", "isolation: shared", fixture);
  closing.push(() => host.stop());
  const folder = await mkdtemp(join(tmpdir(), "example-"));
  closing.push(() => rm(folder, { recursive: true }));
  const source = await readFile(join(root, "examples/orchestrator.ts"), "utf8");
  const file = join(folder, "example.mts");
  await writeFile(file, source.replace("mcp-fleet/runtime", pathToFileURL(join(root, "runtime/index.ts")).href));
  const env = { ...process.env, MCP_SERVER_URL: host.url };
  const { stdout } = await promisify(execFile)(process.execPath, [file], { env });
  expect(stdout).toContain("name: 'count'");
  expect(stdout).toMatch(/total: 5,\s+idle: 5/);
  expect(stdout).toMatch(/batches: 1,\s+requests: 3,\s+deduplicated: 2/);
});
