import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, expect, test } from "@jest/globals";
import type { Client } from "@modelcontextprotocol/client";
import { resolveConfig } from "../../runtime/config/index.ts";
import type { Gateway, Server } from "../../runtime/config/schema/index.ts";
import type { RefusedChange } from "../../runtime/registry/fleet-registry.ts";
import type { FleetStatus } from "../../runtime/registry/fleet-status.ts";
import { say, statefulServer, TestGateway } from "../support/gateway.ts";

// What happens to clients when a server's section changes while they use it.
let gateway: TestGateway;
afterEach(() => gateway.close());

let section: Gateway = {};
async function start(server: Server, more: Gateway = {}): Promise<void> {
  section = { port: 0, drainMs: 1000, log: { level: "silent" }, ...more };
  gateway = await TestGateway.start({ gateway: section, servers: { a: server } });
}

/** Changes the server; resolves with the changes that are refused. */
async function change(server: Server): Promise<readonly RefusedChange[]> {
  const { changes } = await gateway.gateway.apply(resolveConfig({ gateway: section, servers: { a: server } }), []);
  return changes;
}

const status = () => gateway.gateway.status().servers[0] as FleetStatus;
const greeting = (GREETING: string, more: Partial<Server> = {}): Server => {
  const { process: started, ...rest } = statefulServer(more);
  return {
    ...rest,
    process: { command: started?.command as string, args: started?.args as string[], env: { GREETING } },
  };
};
const count = async (client: Client) => (await say(client, "count")) as { count: number; pid: number };
const greetingOf = async (client: Client) => ((await say(client, "where")) as { greeting: string }).greeting;

const isAlive = (pid: number) => existsSync(`/proc/${pid}`);

/** Resolves when it holds; the test's own limit is the bound. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await pause(20);
}

test.each(["session", "caller"] as const)(
  "a session keeps its process and what that remembers when its server changes (isolation %s)",
  async (isolation) => {
    await start(greeting("old", { isolation }));
    const [before, gone] = [await gateway.connect("/mcp/a"), await gateway.connect("/mcp/a")];
    const { pid } = await count(before);
    await count(gone);
    expect(await change(greeting("new", { isolation }))).toEqual([]);
    const after = await gateway.connect("/mcp/a");
    expect(await count(before)).toEqual({ count: 2, pid });
    expect([await greetingOf(before), await greetingOf(after)]).toEqual(["old", "new"]);
    expect((await count(after)).count).toBe(1);
    expect(status().earlier).toEqual({ clients: 2, inFlight: 0 });

    for (const client of [gone, before]) {
      await (client.transport as unknown as { terminateSession(): Promise<void> }).terminateSession();
    }
    await until(() => status().earlier === undefined && !isAlive(pid));
    expect(await count(after)).toMatchObject({ count: 2 });
  },
);

test("past its time a session goes on with the changed server", async () => {
  await start(greeting("old"), { session: { drainMs: 500 } });
  const client = await gateway.connect("/mcp/a");
  const { pid } = await count(client);
  await change(greeting("new"));
  expect(await greetingOf(client)).toBe("old");
  await until(() => !isAlive(pid));
  expect(await greetingOf(client)).toBe("new");
});

test("calls of a shared server go to the changed one at once, and one in flight comes to its end", async () => {
  await start(greeting("old", { isolation: "shared" }));
  const client = await gateway.connect("/mcp/a");
  const { pid } = await count(client);
  const slow = say(client, "slow", { steps: 2, ms: 800 });
  await until(() => status().inFlight === 1);
  expect(await change(greeting("new", { isolation: "shared" }))).toEqual([]);
  expect(await greetingOf(client)).toBe("new");
  expect(isAlive(pid)).toBe(true);
  expect(await slow).toEqual({ steps: 2 });
  await until(() => !isAlive(pid));
});

const broken: readonly (readonly [string, Server, RegExp])[] = [
  ["ends at once", statefulServer({ process: { command: "false" } }), /^a: .*did not start/],
  ["is not there", statefulServer({ process: { command: "no-such-command" } }), /no-such-command/],
  [
    "hangs",
    statefulServer({ process: { command: "sleep", args: ["1000"] }, timeouts: { connectMs: 700 } }),
    /^a-1 was not ready within 700 ms/,
  ],
  ["cannot be reached", { type: "custom", endpoints: ["http://127.0.0.1:1/mcp"] }, /127\.0\.0\.1:1/],
];
test.each(broken)(
  "a change to a server that %s is refused, and the one before it goes on",
  async (_how, server, reason) => {
    await start(greeting("old"));
    const client = await gateway.connect("/mcp/a");
    const { pid } = await count(client);
    const changing = change(server);
    const during = await count(await gateway.connect("/mcp/a"));
    expect(during.count).toBe(1);
    expect(await changing).toEqual([{ server: "a", reason: expect.stringMatching(reason) }]);
    expect(await count(client)).toEqual({ count: 2, pid });
    expect(status()).toMatchObject({ health: "ready", refused: expect.stringMatching(reason) });
    const metrics = await (await fetch(`${gateway.url}/metrics`)).text();
    expect(metrics).toContain('mcp_server_changes_total{server="a",outcome="refused"} 1');

    expect(await change(greeting("new"))).toEqual([]);
    expect(status().refused).toBeUndefined();
    expect(await greetingOf(await gateway.connect("/mcp/a"))).toBe("new");
    expect(await count(client)).toEqual({ count: 3, pid });
  },
);

test("a later change takes the place of one that is under way, and the way back ends it", async () => {
  await start(greeting("old"));
  const hanging = statefulServer({ process: { command: "sleep", args: ["1000"] } });
  const first = change(hanging);
  expect(await change(greeting("new"))).toEqual([]);
  expect(await first).toEqual([]);
  expect(await greetingOf(await gateway.connect("/mcp/a"))).toBe("new");
  const second = change(hanging);
  expect(await change(greeting("new"))).toEqual([]);
  expect(await second).toEqual([]);
  expect(status().refused).toBeUndefined();
});

test("a tool that is denied by a change is denied to sessions that stay with the old process", async () => {
  await start(greeting("old"));
  const client = await gateway.connect("/mcp/a");
  await count(client);
  await change(greeting("new", { tools: { deny: ["count"] } }));
  await expect(client.callTool({ name: "count", arguments: {} })).rejects.toThrow(/count/);
  expect((await client.listTools()).tools.map(({ name }) => name)).not.toContain("count");
  expect(await greetingOf(client)).toBe("old");
});

test("a WebSocket that was open before a change is served after it", async () => {
  await start(greeting("old", { isolation: "shared" }));
  const socket = new WebSocket(`${gateway.url.replace("http", "ws")}/ws/a`, "mcp");
  const answers = new Map<unknown, (message: { result: unknown }) => void>();
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    answers.get(message.id)?.(message);
  };
  await new Promise((resolve) => {
    socket.onopen = resolve;
  });
  const ask = (id: number, method: string, params: object) => {
    const answered = new Promise((resolve) => answers.set(id, resolve));
    socket.send(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
    return answered;
  };
  const clientInfo = { name: "raw", version: "1" };
  await ask(1, "initialize", { protocolVersion: "2025-11-25", capabilities: {}, clientInfo });
  for (const [id, word] of [
    [2, "one"],
    [3, "two"],
    [4, "three"],
  ] as const) {
    await change(greeting(word, { isolation: "shared" }));
    const { result } = (await ask(id, "tools/call", { name: "where", arguments: {} })) as { result: unknown };
    expect(JSON.stringify(result)).toContain(`\\"greeting\\":\\"${word}\\"`);
  }
  socket.close();
});

test("changed over and over, a server has few forerunners", async () => {
  await start(greeting("0"));
  const clients: Client[] = [];
  for (let at = 1; at <= 6; at += 1) {
    clients.push(await gateway.connect("/mcp/a"));
    await count(clients.at(-1) as Client);
    await change(greeting(String(at)));
  }
  expect(status().earlier?.clients).toBe(4);
  expect(await Promise.all(clients.map(greetingOf))).toEqual(["6", "6", "2", "3", "4", "5"]);
});

test("resources that a client hears of are heard of after its shared server has changed", async () => {
  const everything = join(
    import.meta.dirname,
    "../../node_modules/@modelcontextprotocol/server-everything/dist/index.js",
  );
  const server = (word: string): Server => ({
    type: "custom",
    isolation: "shared",
    process: { command: process.execPath, args: [everything], env: { WORD: word } },
  });
  await start(server("old"));
  const client = await gateway.connect("/mcp/a");
  const { resources } = await client.listResources();
  const { uri } = resources[0] as { uri: string };
  await client.subscribeResource({ uri });
  await change(server("new"));
  const heard = new Promise<unknown>((resolve) => {
    client.setNotificationHandler("notifications/resources/updated", ({ params }) => resolve(params.uri));
  });
  await client.callTool({ name: "toggle-subscriber-updates", arguments: {} });
  expect(await heard).toBe(uri);
});

test("a caller who waits for a server that is removed while it starts hears so at once", async () => {
  const process_ = { command: "sleep", args: ["1000"] };
  await start(statefulServer({ process: process_, scaling: { minInstances: 0 }, timeouts: { connectMs: 30_000 } }));
  const asked = fetch(`${gateway.url}/api/v1/servers/a/tools/count`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: "{}",
    signal: AbortSignal.timeout(10_000),
  });
  await until(() => status().instances.total > 0);
  await gateway.gateway.apply(resolveConfig({ gateway: section, servers: {} }), []);
  expect(await (await asked).json()).toMatchObject({ error: { data: { code: "INSTANCE_LOST" } } });
});

test("a working folder that does not exist is named with its field", async () => {
  await start(greeting("old"));
  await count(await gateway.connect("/mcp/a"));
  const { process: started } = statefulServer();
  const cwd = "/no/such/folder";
  const reason = `servers.a.process.cwd: ${cwd} does not exist; create the folder, or correct its name`;
  const moved = {
    ...statefulServer(),
    process: { command: started?.command as string, args: started?.args as string[], cwd },
  };
  expect(await change(moved)).toEqual([{ server: "a", reason: expect.stringContaining(reason) }]);
});
