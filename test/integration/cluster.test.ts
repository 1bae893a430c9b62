import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "@jest/globals";
import { request } from "undici";
import type { GatewayStatus } from "../../runtime/index.ts";
import { ClusterCoordinator, MCPServerOrchestrator } from "../../runtime/index.ts";

const root = join(import.meta.dirname, "../..");
const fixture = join(root, "test/fixtures/counting-server.mjs");
const token = "token-of-the-cluster";
const settings = { process: { command: process.execPath, args: [fixture] }, isolation: "shared" as const };
const counting = { name: "counting", type: "custom" as const, settings };
let closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.reverse()) await close();
  closing = [];
});
const textOf = (result: unknown) => (result as { content: { text: string }[] }).content[0]?.text;

async function coordinate(): Promise<string> {
  const coordinator = await ClusterCoordinator.start({ token });
  closing.push(() => coordinator.close());
  return coordinator.url;
}
function node(nodeId: string, coordinatorEndpoint: string) {
  const orchestrator = new MCPServerOrchestrator({
    monitoring: { logLevel: "silent" },
    listen: { port: 0 },
    clustering: { enabled: true, nodeId, coordinatorEndpoint, token, heartbeatInterval: 1000 },
  });
  closing.push(() => orchestrator.close());
  return orchestrator;
}
/** Resolves when a node knows that this many others have the server. */
async function knows(orchestrator: MCPServerOrchestrator, nodes: number): Promise<void> {
  const ready = () =>
    orchestrator.members().filter(({ servers }) => servers.some(({ health }) => health === "ready")).length === nodes;
  while (!ready()) await new Promise((resolve) => setTimeout(resolve, 20));
}

test("what one node has not another node of the cluster is asked for", async () => {
  const coordinator = await coordinate();
  const [first, second] = [node("first", coordinator), node("second", coordinator)];
  await first.registerServer(counting);
  await knows(second, 1);
  expect(second.members().map(({ nodeId, servers }) => [nodeId, servers.map(({ name }) => name)])).toEqual([
    ["first", ["counting"]],
  ]);
  expect(textOf(await second.executeRequest("counting", "count"))).toBe("1");
  expect(textOf(await first.executeRequest("counting", "count"))).toBe("2");
  await expect(second.executeRequest("counting", "nothing/here")).rejects.toMatchObject({ code: "UPSTREAM_PROTOCOL" });
  await expect(second.executeRequest("other", "count")).rejects.toMatchObject({ code: "SERVER_UNKNOWN" });
});

test("a node of a cluster serves other nodes, and nobody else", async () => {
  const coordinator = await coordinate();
  const [first, second] = [node("first", coordinator), node("second", coordinator)];
  await first.registerServer(counting);
  await knows(second, 1);
  await second.executeRequest("counting", "count");
  const { url } = (await first.status()) as GatewayStatus;
  const ask = async (headers: Record<string, string>) => {
    const answer = await request(`${url}/api/v1/servers/counting/tools/count`, { method: "POST", headers });
    await answer.body.dump();
    return answer.statusCode;
  };
  expect([await ask({}), await ask({ authorization: `Bearer ${token}` })]).toEqual([401, 401]);
});

test("a node that ends is passed over at once: another one has the server, too", async () => {
  const coordinator = await coordinate();
  const [first, second, asking] = [node("a", coordinator), node("b", coordinator), node("c", coordinator)];
  await first.registerServer(counting);
  await second.registerServer(counting);
  await knows(asking, 2);
  const answers: unknown[] = [];
  for (let n = 0; n < 4; n += 1) answers.push(textOf(await asking.executeRequest("counting", "count")));
  // Both are asked in turn.
  expect(answers.sort()).toEqual(["1", "1", "2", "2"]);
  await first.close();
  for (let n = 3; n < 9; n += 1) expect(textOf(await asking.executeRequest("counting", "count"))).toBe(String(n));
});

test("without a token there is no cluster, and none is taken from the command line", async () => {
  expect(
    () => new MCPServerOrchestrator({ clustering: { enabled: true, nodeId: "a", coordinatorEndpoint: "http://c:1" } }),
  ).toThrow("the cluster's token is missing; put it into a file and name that with --token-file");
  const command = [join(root, "runtime/cli/main.ts"), "coordinator"];
  const run = (args: string[]) =>
    new Promise<{ code: unknown; err: string }>((resolve) =>
      execFile(process.execPath, [...command, ...args], (error, _out, err) => resolve({ code: error?.code ?? 0, err })),
    );
  // Not even the error repeats it.
  expect(await run(["--token", "secret"])).toEqual({
    code: 2,
    err:
      "mcp-fleet: --token: other users see it in the process list; give it by --token-file, or in " +
      "MCP_FLEET_COORDINATOR_TOKEN, and make a new one\n",
  });
  expect(await run([])).toMatchObject({ code: 2, err: expect.stringContaining("the cluster's token is missing") });
  const folder = await mkdtemp(join(tmpdir(), "coordinator-"));
  closing.push(() => rm(folder, { recursive: true }));
  const file = join(folder, "token");
  expect(await run(["--token-file", file])).toMatchObject({ code: 2, err: expect.stringContaining("cannot be read") });
  await writeFile(file, "\n");
  expect(await run(["--token-file", file])).toMatchObject({ code: 2, err: expect.stringContaining("is missing") });
});
