import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import type { Server } from "../../runtime/config/schema/index.ts";
import { say, TestGateway } from "../support/gateway.ts";
import { HostProcess } from "../support/host-process.ts";
import { PlainClient } from "../support/steady-load.ts";

const stateful = join(import.meta.dirname, "../fixtures/stateful-server.ts");
const size = 2;
const most = 5;
/** Longer than any test: a session that waits at a host fails its test. */
const forever = 600_000;
const settings = `isolation: session\nscaling: { maxInstances: ${size} }\ntimeouts: { connectMs: ${forever} }`;

let all: HostProcess[];
/** Those of them that the gateway knows. */
let hosts: readonly HostProcess[];
let gateway: TestGateway | undefined;
const clients: { readonly client: Client; readonly transport: StreamableHTTPClientTransport }[] = [];
beforeAll(async () => {
  all = await Promise.all(Array.from({ length: most }, () => HostProcess.start("plain", settings, stateful)));
});
afterEach(async () => {
  for (const { client, transport } of clients.splice(0)) {
    await transport.terminateSession();
    await client.close();
  }
  await gateway?.close();
  gateway = undefined;
  for (const host of all) while ((await leases(host)).used > 0);
});
afterAll(() => Promise.all(all.map((host) => host.stop())));

/** The tokens of callers who are nobody but themselves. */
const tokenOf = (caller: number) => `token-of-caller-${caller}`;
const bearerTokens = Array.from({ length: most * size }, (_, caller) => ({
  name: `caller-${caller}`,
  token: tokenOf(caller),
}));

async function start(more: Partial<Server> = {}, count = 2): Promise<void> {
  hosts = all.slice(0, count);
  const endpoints = hosts.map(({ url }) => `${url}/mcp`);
  const plain: Server = { type: "custom", endpoints, timeouts: { connectMs: forever }, ...more };
  gateway = await TestGateway.start({ gateway: { auth: { bearerTokens } }, servers: { plain } });
  while (gateway.gateway.instances("plain").some(({ state }) => state !== "ready"))
    await new Promise((resolve) => setTimeout(resolve, 10));
}

/** A client of the official SDK, which reads a stream: what it has leased is not given to others. */
async function connect(url: string, headers: Record<string, string> = {}): Promise<Client> {
  const client = new Client({ name: "test", version: "1.0.0" });
  const transport = new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } });
  await client.connect(transport);
  clients.push({ client, transport });
  return client;
}
const headersOf = (caller: number) => ({ authorization: `Bearer ${tokenOf(caller)}` });
const session = async (caller = 0) => {
  const client = await connect(`${gateway?.url}/mcp/plain`, headersOf(caller));
  return { client, ...((await say(client, "count")) as { count: number; pid: number }) };
};
async function leases({ url }: HostProcess): Promise<{ used: number; max: number }> {
  return ((await (await fetch(`${url}/load`)).json()) as { leases: { used: number; max: number } }).leases;
}

const strategies = ["round-robin", "least-connections", "weighted", "resource-based"];
test.each([
  ...strategies.flatMap((strategy) => [2, 3, 5].map((count) => [strategy, "session", count] as const)),
  ...strategies.map((strategy) => [strategy, "caller", 3] as const),
])(
  "%s, isolation %s: as many as %d hosts have processes are served, and none waits",
  async (strategy, isolation, count) => {
    await start({ loadBalancer: { strategy }, isolation }, count);
    const pids = new Set<number>();
    for (let number = 0; number < count * size; number += 1) pids.add((await session(number)).pid);
    expect(pids.size).toBe(count * size);
    const used = await Promise.all(all.map(async (host) => (await leases(host)).used));
    expect(used).toEqual(all.map((_, at) => (at < count ? size : 0)));
  },
);

test("the same when all of them come at once", async () => {
  await start({ loadBalancer: { strategy: "resource-based" } });
  const sessions = await Promise.all(Array.from({ length: 2 * size }, () => session()));
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
    expect(sessions.map(({ count }) => count)).toEqual([1, 1]);
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

test("what clients of one gateway have left without a word is given to those of another one", async () => {
  await start();
  const other = await TestGateway.start({
    gateway: { auth: { bearerTokens } },
    servers: {
      plain: { type: "custom", endpoints: hosts.map(({ url }) => `${url}/mcp`), timeouts: { connectMs: forever } },
    },
  });
  const seen = new Set<unknown>();
  const visits = 2 * size + 1;
  for (const { url } of [gateway as TestGateway, other]) {
    for (let visit = 0; visit < visits; visit += 1) {
      const { count, pid } = await (await PlainClient.open(`${url}/mcp/plain`, false, headersOf(0))).call("count");
      expect(count).toBe(1);
      seen.add(pid);
    }
  }
  expect(seen.size).toBe(2 * visits);
  await other.close();
});
