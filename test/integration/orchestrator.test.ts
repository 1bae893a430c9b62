import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterEach, expect, test } from "@jest/globals";
import type { OrchestratorOptions } from "../../runtime/index.ts";
import { ClusterCoordinator, CompleteMCPIntegration, MCPServerOrchestrator } from "../../runtime/index.ts";
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

test("what one node has not another node of the cluster is asked for", async () => {
  const coordinator = await ClusterCoordinator.start();
  closing.push(() => coordinator.close());
  const node = (nodeId: string) =>
    orchestrate({
      listen: { port: 0 },
      clustering: { enabled: true, nodeId, coordinatorEndpoint: coordinator.url, heartbeatInterval: 50 },
    });
  const [first, second] = [node("first"), node("second")];
  await first.registerServer({ name: "counting", type: "custom", settings: counting });
  await new Promise<void>((resolve) => {
    const look = () => second.members()[0]?.servers[0]?.health === "ready" && resolve();
    second.on("cluster", look);
    const timer = setInterval(() => look() !== false && clearInterval(timer), 20);
  });
  expect(second.members().map(({ nodeId, servers }) => [nodeId, servers.map(({ name }) => name)])).toEqual([
    ["first", ["counting"]],
  ]);
  expect(textOf(await second.executeRequest("counting", "count"))).toBe("1");
  expect(textOf(await first.executeRequest("counting", "count"))).toBe("2");
  await expect(second.executeRequest("counting", "nothing/here")).rejects.toMatchObject({ code: "UPSTREAM_PROTOCOL" });
  await expect(second.executeRequest("other", "count")).rejects.toMatchObject({ code: "SERVER_UNKNOWN" });
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
