import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { Agent, request } from "undici";
import { FaultInstance } from "../support/fault-instance.ts";
import { statefulServer, TestGateway } from "../support/gateway.ts";
import { PlainClient } from "../support/steady-load.ts";

let folder: string;
let admin: Agent;
let gateway: TestGateway;
let instances: FaultInstance[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "instances-test-"));
  const socketPath = join(folder, "admin.sock");
  admin = new Agent({ connect: { socketPath } });
  instances = await Promise.all([FaultInstance.start(), FaultInstance.start()]);
  const endpoints = [(instances[0] as FaultInstance).url];
  gateway = await TestGateway.start({
    gateway: { admin: { socket: socketPath } },
    servers: { echo: { type: "custom", isolation: "shared", endpoints }, local: statefulServer() },
  });
});
afterEach(async () => {
  await gateway.close();
  await admin.close();
  await Promise.all(instances.map((instance) => instance.kill()));
  await rm(folder, { recursive: true });
});

async function ask(method: "GET" | "POST" | "PATCH" | "DELETE", path: string, body?: object) {
  const options = { dispatcher: admin, method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
  const { statusCode, body: answer } = await request(`http://admin/servers/${path}`, options);
  const said = (await answer.json()) as {
    instances?: { id: string; state: string; weight: number }[];
    events?: { event: string; instance: string }[];
    message?: string;
    code?: string;
  };
  return { ...said, statusCode };
}
const states = async () => (await ask("GET", "echo/instances")).instances?.map(({ id, state }) => [id, state]);
async function until(want: unknown): Promise<void> {
  for (let tries = 0; tries < 300; tries += 1) {
    if (JSON.stringify(await states()) === JSON.stringify(want)) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(await states()).toEqual(want);
}

test("an instance is registered, takes calls, is drained, weighted and taken out", async () => {
  const [first, second] = instances as [FaultInstance, FaultInstance];
  await until([[first.url, "ready"]]);
  const added = await ask("POST", "echo/instances", { address: second.url, zone: "b", weight: 3 });
  expect(added.instances?.at(-1)).toMatchObject({ id: second.url, zone: "b", weight: 3, inFlight: 0 });
  await until([
    [first.url, "ready"],
    [second.url, "ready"],
  ]);
  await ask("PATCH", `echo/instances?id=${encodeURIComponent(first.url)}`, { drain: true });
  const client = await PlainClient.open(`${gateway.url}/mcp/echo`);
  const pids = new Set(await Promise.all(Array.from({ length: 10 }, async () => (await client.call("read")).pid)));
  expect(pids.size).toBe(1);
  await ask("PATCH", `echo/instances?id=${encodeURIComponent(first.url)}`, { drain: false, weight: 7 });
  const gone = await ask("DELETE", `echo/instances?id=${encodeURIComponent(second.url)}`);
  expect(gone.instances?.map(({ id, weight }) => [id, weight])).toEqual([[first.url, 7]]);
  expect((await client.call("read")).pid).not.toBe([...pids][0]);
  expect(gone.events?.map(({ event, instance }) => [event, instance])).toEqual([
    ["added", first.url],
    ["ready", first.url],
    ["added", second.url],
    ["ready", second.url],
    ["draining", first.url],
    ["returned", first.url],
    ["draining", second.url],
    ["removed", second.url],
  ]);
});

test("what cannot be is refused, and says what can", async () => {
  const [first] = instances as [FaultInstance];
  const refusals = [
    await ask("POST", "echo/instances", { address: "nowhere" }),
    await ask("POST", "echo/instances", { address: first.url, weight: 0 }),
    await ask("POST", "local/instances", { address: first.url }),
    await ask("DELETE", `echo/instances?id=${encodeURIComponent(first.url)}`),
    await ask("PATCH", "echo/instances?id=x", {}),
    await ask("GET", "nobody/instances"),
  ];
  expect(refusals.map(({ statusCode, code, message }) => [statusCode, code, message])).toEqual([
    [400, "INVALID_PARAMS", '"address" is "nowhere"; write it like http://10.0.0.7:8080/mcp'],
    [400, "INVALID_PARAMS", '"weight" is 0; give a whole number from 1 to 1000'],
    [
      ...[400, "INVALID_PARAMS"],
      "local runs its own processes, to which no instance can be added; change its scaling instead",
    ],
    [
      ...[400, "INVALID_PARAMS"],
      `${first.url} was not registered here; remove it from the configuration or from what its discovery finds, or drain it`,
    ],
    [404, "INSTANCE_UNKNOWN", `echo has no instance "x"; there are: ${first.url}`],
    [404, "SERVER_UNKNOWN", 'no server is called "nobody"'],
  ]);
});

test("a hung process is found by its checks and started anew", async () => {
  await gateway.close();
  gateway = await TestGateway.start({
    servers: {
      local: {
        ...statefulServer({ isolation: "shared" }),
        healthCheck: { intervalMs: 200, timeoutMs: 300, unhealthyThreshold: 1, restartAfter: 2 },
      },
    },
  });
  const client = await PlainClient.open(`${gateway.url}/mcp/local`);
  const { pid } = await client.call("count");
  process.kill(pid as number, "SIGSTOP");
  const restarts = () => gateway.gateway.status().servers[0]?.restarts;
  for (let tries = 0; restarts() === 0 && tries < 1000; tries += 1) await new Promise((go) => setTimeout(go, 20));
  const after = await client.call("count");
  expect([after.count, after.pid !== pid]).toEqual([1, true]);
});

test("a hedged call is answered by the second instance while the first one takes its time", async () => {
  await gateway.close();
  const [slow, fast] = instances as [FaultInstance, FaultInstance];
  const endpoints = [slow.url, fast.url];
  gateway = await TestGateway.start({
    servers: { echo: { type: "custom", isolation: "shared", endpoints, retry: { hedgeAfterMs: 100 } } },
  });
  const client = await PlainClient.open(`${gateway.url}/mcp/echo`);
  expect(await client.tools()).toEqual(["read", "write"]);
  await slow.delay(20_000);
  const answers = await Promise.all(Array.from({ length: 8 }, (_, n) => client.call("read", { n })));
  expect(answers.map(({ n }) => n)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  expect(new Set(answers.map(({ pid }) => pid)).size).toBe(1);
});
