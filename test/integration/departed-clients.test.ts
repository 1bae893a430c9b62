import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, expect, test } from "@jest/globals";
import type { Client } from "@modelcontextprotocol/client";
import type { Server } from "../../runtime/config/schema/index.ts";
import { say, statefulServer, TestGateway } from "../support/gateway.ts";
import { HostProcess } from "../support/host-process.ts";
import { Serving } from "../support/serving.ts";
import { PlainClient } from "../support/steady-load.ts";

const stateful = join(import.meta.dirname, "../fixtures/stateful-server.ts");
let gateway: TestGateway | undefined;
let host: HostProcess | undefined;
let serving: Serving | undefined;
afterEach(async () => {
  await gateway?.close();
  await host?.end();
  await serving?.stop();
  gateway = undefined;
  host = undefined;
  serving = undefined;
});

async function start(more: Partial<Server> = {}): Promise<void> {
  const bearerTokens = ["anna", "bert"].map((name) => ({ name, token: `token-of-${name}` }));
  gateway = await TestGateway.start({
    gateway: { auth: { bearerTokens } },
    servers: { plain: statefulServer({ scaling: { maxInstances: 2 }, ...more }) },
  });
}
/** A client of the official SDK, which opens an event stream with its session and sends no DELETE when it goes. */
const connect = (name: "anna" | "bert") =>
  (gateway as TestGateway).connect("/mcp/plain", { authorization: `Bearer token-of-${name}` });
const count = async (client: Client) => (await say(client, "count")) as { count: number; pid: number };

test("clients that leave without a word make room: the next one is served by a process that they have not seen", async () => {
  await start();
  const seen: number[] = [];
  for (let visit = 0; visit < 5; visit += 1) {
    const client = await connect("anna");
    const answer = await count(client);
    expect([answer.count, seen.includes(answer.pid)]).toEqual([1, false]);
    seen.push(answer.pid);
    await client.close();
  }
});

test("the one who was there last keeps its process, and the one who was evicted begins anew", async () => {
  await start();
  const open = () => PlainClient.open(`${gateway?.url}/mcp/plain`, false, { authorization: "Bearer token-of-anna" });
  const [first, second, third] = [await open(), await open(), await open()];
  await first.call("count");
  const { pid } = await second.call("count");
  expect((await third.call("count")).count).toBe(1);
  expect(await second.call("count")).toEqual({ count: 2, pid });
  expect((await first.call("count")).count).toBe(1);
});

test("a client that reads its stream or waits for an answer keeps its process: the next one is refused", async () => {
  await start({ timeouts: { connectMs: 3000 } });
  const reading = await connect("anna");
  const before = await count(reading);
  const waiting = await PlainClient.open(`${gateway?.url}/mcp/plain`, false, { authorization: "Bearer token-of-bert" });
  const slow = waiting.call("slow", { steps: 10, ms: 500 });
  const next = await connect("bert");
  await expect(count(next)).rejects.toThrow("plain: all 2 instances are leased");
  expect(await slow).toEqual({ steps: 10 });
  expect(await count(reading)).toEqual({ count: 2, pid: before.pid });
});

test("a caller with all instances does not lock another one out, and keeps those that it uses", async () => {
  await start();
  const [idle, used] = [await connect("anna"), await connect("anna")];
  await count(idle);
  const { pid } = await count(used);
  const other = await connect("bert");
  expect((await count(other)).count).toBe(1);
  expect(await count(used)).toEqual({ count: 2, pid });
});

test("with isolation caller, a caller of whose sessions one is open keeps the process that all of them share", async () => {
  await start({ isolation: "caller", scaling: { maxInstances: 1 }, timeouts: { connectMs: 3000 } });
  const gone = await connect("anna");
  const { pid } = await count(gone);
  const here = await connect("anna");
  await gone.close();
  const other = await connect("bert");
  await expect(count(other)).rejects.toThrow("plain: all 1 instances are leased");
  expect(await count(here)).toEqual({ count: 2, pid });
  await here.close();
  expect((await count(other)).count).toBe(1);
});

/** Six clients come one after the other, and each is answered by a process of its own. */
async function visits(url: string | undefined): Promise<void> {
  const seen: unknown[] = [];
  for (let visit = 0; visit < 6; visit += 1) {
    const client = await PlainClient.open(`${url}/mcp/plain`);
    const { count, pid } = await client.call("count");
    expect([count, seen.includes(pid)]).toEqual([1, false]);
    seen.push(pid);
  }
}

test("a server host, whose client is the gateway, gets back what the gateway's clients have left", async () => {
  host = await HostProcess.start("plain", "isolation: session\nscaling: { maxInstances: 2 }", stateful);
  gateway = await TestGateway.start({ servers: { plain: { type: "custom", endpoints: [`${host.url}/mcp`] } } });
  await visits(gateway.url);
});

test("so do several workers, which share the processes", async () => {
  const plain = statefulServer({ scaling: { maxInstances: 2 } });
  serving = await Serving.start(
    { gateway: { workers: 2, log: { level: "info" } }, servers: { plain } },
    "workers serve",
  );
  await visits(serving.url);
});

test.each(["requests", "tools/slow"])(
  "a REST client that goes takes its call along, and its place is free (%s)",
  async (path) => {
    await start();
    const url = `${gateway?.url}/api/v1/servers/plain/${path}`;
    const args = { steps: 100, ms: 1000 };
    const leaving = new AbortController();
    const body = JSON.stringify(path === "requests" ? { method: "slow", params: args } : args);
    const headers = { authorization: "Bearer token-of-anna", "content-type": "application/json" };
    const asked = [0, 1].map(() => fetch(url, { method: "POST", headers, body, signal: leaving.signal }));
    const status = () => gateway?.gateway.status().servers[0]?.inFlight;
    while (status() !== 2) await pause(20);
    leaving.abort();
    await Promise.allSettled(asked);
    while (status() !== 0) await pause(20);
    expect((await count(await connect("bert"))).count).toBe(1);
  },
);
