import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import type { Server } from "../../runtime/config/schema/index.ts";
import { say, TestGateway } from "../support/gateway.ts";
import { HostProcess } from "../support/host-process.ts";

const stateful = join(import.meta.dirname, "../fixtures/stateful-server.ts");
const size = 4;
/** Longer than any test: a session that waits at a host fails its test. */
const forever = 600_000;
const settings = `isolation: session\nscaling: { maxInstances: ${size} }\ntimeouts: { connectMs: ${forever} }`;

let hosts: HostProcess[];
let gateway: TestGateway | undefined;
const clients: { readonly client: Client; readonly transport: StreamableHTTPClientTransport }[] = [];
beforeAll(async () => {
  hosts = await Promise.all([1, 2].map(() => HostProcess.start("plain", settings, stateful)));
});
afterEach(async () => {
  for (const { client, transport } of clients.splice(0)) {
    await transport.terminateSession();
    await client.close();
  }
  await gateway?.close();
  gateway = undefined;
  for (const host of hosts) while ((await leases(host)).used > 0);
});
afterAll(() => Promise.all(hosts.map((host) => host.stop())));

async function start(more: Partial<Server> = {}): Promise<void> {
  const endpoints = hosts.map(({ url }) => `${url}/mcp`);
  const plain: Server = { type: "custom", endpoints, timeouts: { connectMs: forever }, ...more };
  gateway = await TestGateway.start({ servers: { plain } });
  while (gateway.gateway.instances("plain").some(({ state }) => state !== "ready"))
    await new Promise((resolve) => setTimeout(resolve, 10));
}

/** A client of the official SDK, which reads a stream: what it has leased is not given to others. */
async function connect(url: string): Promise<Client> {
  const client = new Client({ name: "test", version: "1.0.0" });
  const transport = new StreamableHTTPClientTransport(new URL(url));
  await client.connect(transport);
  clients.push({ client, transport });
  return client;
}
const session = async () => {
  const client = await connect(`${gateway?.url}/mcp/plain`);
  return { client, ...((await say(client, "count")) as { count: number; pid: number }) };
};
async function leases({ url }: HostProcess): Promise<{ used: number; max: number }> {
  return ((await (await fetch(`${url}/load`)).json()) as { leases: { used: number; max: number } }).leases;
}

test.each(["round-robin", "least-connections", "weighted", "resource-based"])(
  "%s: as many sessions as two hosts have processes are served, and none waits",
  async (strategy) => {
    await start({ loadBalancer: { strategy } });
    const pids = new Set<number>();
    for (let count = 0; count < 2 * size; count += 1) pids.add((await session()).pid);
    expect(pids.size).toBe(2 * size);
    expect(await Promise.all(hosts.map(leases))).toEqual([1, 2].map(() => ({ used: size, max: size })));
  },
);

test("the same when all of them come at once", async () => {
  await start({ loadBalancer: { strategy: "resource-based" } });
  const sessions = await Promise.all(Array.from({ length: 2 * size }, session));
  expect(new Set(sessions.map(({ pid }) => pid)).size).toBe(2 * size);
});

test.each([1, 3])(
  "a host that others have filled refuses, and the other one serves, with %d attempts",
  async (attempts) => {
    await start({ retry: { attempts }, loadBalancer: { strategy: "round-robin" } });
    const [full] = hosts as [HostProcess];
    for (let count = 0; count < size; count += 1) await say(await connect(`${full.url}/mcp`), "count");
    const sessions = [];
    for (let count = 0; count < size; count += 1) sessions.push(await session());
    expect(sessions.map(({ count }) => count)).toEqual([1, 1, 1, 1]);
    // They keep their processes.
    for (const { client, pid } of sessions) expect(await say(client, "count")).toEqual({ count: 2, pid });
  },
);

test("a session waits only while all hosts are full, and is served by the one that has room first", async () => {
  await start();
  for (const { url } of hosts)
    for (let count = 0; count < size; count += 1) await say(await connect(`${url}/mcp`), "count");
  const waiting = session();
  while (gateway?.gateway.status().servers[0]?.waiting === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  await clients[0]?.transport.terminateSession();
  expect((await waiting).count).toBe(1);
});
