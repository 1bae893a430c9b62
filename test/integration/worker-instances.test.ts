import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { FaultInstance } from "../support/fault-instance.ts";
import { Serving } from "../support/serving.ts";
import { PlainClient } from "../support/steady-load.ts";

// What operators ask at the admin socket holds for every worker, also for one that starts later.
let instances: FaultInstance[];
let serving: Serving;
beforeAll(async () => {
  instances = await Promise.all([FaultInstance.start(), FaultInstance.start()]);
  const light = join(import.meta.dirname, "../fixtures/light-server.mjs");
  serving = await Serving.start(
    {
      gateway: { workers: 2, log: { level: "info" } },
      servers: {
        echo: {
          ...{ type: "custom", isolation: "shared", endpoints: [(instances[0] as FaultInstance).url] },
          ...{ healthCheck: { intervalMs: 200 }, loadBalancer: { strategy: "round-robin", slowStartMs: 0 } },
        },
        local: { type: "custom", isolation: "shared", process: { command: process.execPath, args: [light] } },
      },
    },
    "workers serve",
  );
});
afterAll(async () => {
  const code = await serving?.stop();
  await Promise.all(instances.map((instance) => instance.kill()));
  expect(code).toBe(0);
});

interface View {
  readonly code?: string;
  readonly instances: readonly { id: string; state: string; weight: number; inFlight: number }[];
  readonly events: readonly { event: string; instance: string }[];
}
const ask = (method: string, path = "echo/instances", body?: object) =>
  serving.admin(method, `/servers/${path}`, body) as Promise<View>;
const at = ({ url }: FaultInstance) => `echo/instances?id=${encodeURIComponent(url)}`;

/** Waits until all workers see the instances in these states. */
async function until(...wanted: string[]): Promise<void> {
  const states = async () => (await ask("GET")).instances.map(({ state }) => state);
  for (let tries = 0; tries < 500 && (await states()).join() !== wanted.join(); tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(await states()).toEqual(wanted);
}

/** Processes that answer clients on connections of their own, so that both workers are asked. */
async function answering(): Promise<number> {
  const clients = await Promise.all(Array.from({ length: 12 }, () => PlainClient.open(`${serving.url}/mcp/echo`)));
  const answers = await Promise.all(
    clients.flatMap((client) => [client.call("read"), client.call("read"), client.call("read")]),
  );
  return new Set(answers.map(({ pid }) => pid)).size;
}

test("an answer covers all workers, and a registration reaches all, also those that start later", async () => {
  const [first, second] = instances as [FaultInstance, FaultInstance];
  await until("ready");
  const { events } = await ask("GET");
  expect(events.filter(({ event }) => event === "ready").map(({ instance }) => instance)).toEqual([
    first.url,
    first.url,
  ]);

  const added = await ask("POST", "echo/instances", { address: second.url, weight: 3 });
  expect(added.instances.map(({ id, weight }) => [id, weight])).toEqual([
    [first.url, 1],
    [second.url, 3],
  ]);
  await until("ready", "ready");
  expect(await answering()).toBe(2);
  await ask("PATCH", at(first), { drain: true });
  await until("draining", "ready");
  expect(await answering()).toBe(1);

  for (const { pid } of (await serving.status()).workers) process.kill(pid, "SIGKILL");
  for (let tries = 0; tries < 500; tries += 1) {
    const { workers } = await serving.status();
    if (workers.length === 2 && workers.every(({ restarts }) => restarts === 1)) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await until("draining", "ready");
  expect(await answering()).toBe(1);
  await serving.admin("POST", "/workers/replace");
  await until("draining", "ready");

  await ask("PATCH", at(first), { drain: false });
  const gone = await ask("DELETE", at(second));
  expect(gone.instances.map(({ id }) => id)).toEqual([first.url]);
  await until("ready");
  expect(await answering()).toBe(1);
});

test("refusals are a worker's own; processes are the supervisor's", async () => {
  const refused = [
    await ask("POST", "echo/instances", { address: "nowhere" }),
    await ask("PATCH", "echo/instances?id=x", { drain: true }),
    await ask("GET", "nobody/instances"),
    await ask("POST", "local/instances", { address: "http://127.0.0.1:1/mcp" }),
    await ask("GET", "echo/nothing"),
  ];
  expect(refused.map(({ code }) => code)).toEqual([
    "INVALID_PARAMS",
    "INSTANCE_UNKNOWN",
    "SERVER_UNKNOWN",
    "INVALID_PARAMS",
    undefined,
  ]);
  expect((await ask("GET", "local/instances")).instances).toHaveLength(1);
  expect(await serving.admin("GET", "/integrity")).toEqual({ echo: [], local: [] });
});
