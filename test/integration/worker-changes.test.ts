import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { ConfigFile, Server } from "../../runtime/config/schema/index.ts";
import { statefulServer } from "../support/gateway.ts";
import { Serving } from "../support/serving.ts";
import { PlainClient } from "../support/steady-load.ts";

// Servers that change while several worker processes serve them: their processes belong to the supervisor.
let serving: Serving;
const config = () => join(serving.folder, "config.json");

function greeting(GREETING: string, more: Partial<Server> = {}): Server {
  const { process: started, ...rest } = statefulServer(more);
  const [command, args] = [started?.command as string, started?.args as string[]];
  return { ...rest, process: { command, args, env: { GREETING } } };
}

beforeAll(async () => {
  const servers = { own: greeting("old"), shared: greeting("old", { isolation: "shared" }) };
  serving = await Serving.start({ gateway: { workers: 2, log: { level: "info" } }, servers }, "workers serve");
});
afterAll(async () => {
  expect(await serving.stop()).toBe(0);
});

async function change(servers: Record<string, Server>): Promise<void> {
  const file = JSON.parse(await readFile(config(), "utf8")) as ConfigFile;
  await writeFile(config(), JSON.stringify({ ...file, servers: { ...file.servers, ...servers } }));
  await serving.admin("POST", "/reload");
}
const open = (server: string) => PlainClient.open(`${serving.url}/mcp/${server}`);
const greetingOf = async (client: PlainClient) => (await client.call("where")).greeting;
const refused = async (name: string) =>
  (await serving.status()).servers.find((server) => server.name === name)?.refused;

test("sessions keep their processes when their server changes, and new ones have the changed server", async () => {
  const before = await open("own");
  const { pid } = await before.call("count");
  await change({ own: greeting("new") });
  expect(await before.call("count")).toEqual({ count: 2, pid });
  const fresh = await Promise.all(Array.from({ length: 3 }, () => open("own")));
  expect(await Promise.all(fresh.map(greetingOf))).toEqual(["new", "new", "new"]);
  expect(await greetingOf(before)).toBe("old");
});

test("calls of a shared server never fail while it changes", async () => {
  const clients = await Promise.all(Array.from({ length: 4 }, () => open("shared")));
  let over = false;
  const calling = clients.map(async (client) => {
    for (let calls = 0; ; calls += 1) {
      if (over) return calls;
      await client.call("count");
    }
  });
  for (const word of ["one", "two", "three"]) {
    await change({ shared: greeting(word, { isolation: "shared" }) });
    expect(await Promise.all(clients.map(greetingOf))).toEqual([word, word, word, word]);
    await pause(300);
  }
  over = true;
  for (const calls of await Promise.all(calling)) expect(calls).toBeGreaterThan(0);
});

test.each([
  ["a process that ends at once", { process: { command: "false" } }],
  ["an endpoint where nothing listens", { process: undefined, endpoints: ["http://127.0.0.1:1/mcp"] }],
] as const)("a change to %s is refused by all workers, and the one before it goes on", async (_what, more) => {
  const client = await open("own");
  const { pid } = await client.call("count");
  const bad = JSON.parse(JSON.stringify({ ...greeting("bad"), ...more })) as Server;
  await change({ own: bad });
  expect(await refused("own")).toMatch(/^own: /);
  expect(await client.call("count")).toEqual({ count: 2, pid });
  expect((await (await open("own")).call("count")).count).toBe(1);
  await change({ own: greeting("new") });
  expect(await refused("own")).toBeUndefined();
});
