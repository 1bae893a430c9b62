import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import { Registry } from "prom-client";
import { request } from "undici";
import type { Server as ServerConfig } from "../../runtime/config/schema/index.ts";
import { ConnectionPoolManager, RequestBatchingEngine } from "../../runtime/index.ts";
import { say, TestGateway } from "../support/gateway.ts";
import { HostProcess } from "../support/host-process.ts";
import { Listening } from "../support/listening.ts";

const fixture = join(import.meta.dirname, "../fixtures/counting-server.mjs");
let host: HostProcess;
let closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.reverse()) await close();
  closing = [];
});

beforeAll(async () => {
  host = await HostProcess.start("counting", "isolation: shared\nscaling: { maxInstances: 1 }", fixture);
});
afterAll(() => host.stop());
const textOf = (result: unknown) => (result as { content: { text: string }[] }).content[0]?.text;

test("requests go to the server host in batches: gathered, without repetition, kept, the most urgent first", async () => {
  const { url } = host;
  const registry = new Registry();
  const engine = new RequestBatchingEngine(
    { maxBatchSize: 50, maxConcurrentBatches: 1 },
    { tools: { count: 60_000 } },
    { registry },
  );
  closing.push(() => engine.close());
  engine.addEndpoint("counting", `${url}/batch`);
  const results = await Promise.all([
    ...Array.from({ length: 20 }, (_, index) =>
      engine.execute("counting", "tools/call", { name: "work", arguments: { as: index } }),
    ),
    engine.execute("counting", "tools/call", { name: "count" }),
    engine.execute("counting", "tools/call", { name: "count" }),
  ]);
  expect(results.map(textOf)).toEqual([...Array.from({ length: 20 }, (_, index) => String(index)), "1", "1"]);
  expect(textOf(await engine.execute("counting", "tools/call", { name: "count" }))).toBe("1");
  expect(textOf(await engine.execute("counting", "tools/call", { name: "count" }, { useCache: false }))).toBe("2");
  expect(engine.statistics()).toEqual([
    {
      ...{ server: "counting", waiting: 0, batches: 2, requests: 24, deduplicated: 1 },
      ...{ cacheHits: 1, cacheMisses: 3, cacheBytes: expect.any(Number) },
    },
  ]);
  expect(await registry.metrics()).toContain('mcp_batch_size_sum{server="counting"} 22');
  await expect(engine.execute("counting", "nothing/here")).rejects.toMatchObject({ code: "UPSTREAM_PROTOCOL" });
  await expect(engine.execute("other", "ping")).rejects.toMatchObject({
    code: "SERVER_UNKNOWN",
    message: 'no server is called "other"; there are: counting',
  });
});

test("bodies are compressed once the server has said that it takes that, answers when they are long", async () => {
  const { url } = host;
  const seen: IncomingHttpHeaders[] = [];
  const answered: (string | null)[] = [];
  // Between engine and host, to see what goes over the wire.
  const wire: Server = createServer(async (incoming, outgoing) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    seen.push(incoming.headers);
    const { host: _host, connection: _connection, "transfer-encoding": _coding, ...headers } = incoming.headers;
    const response = await request(`${url}/batch`, { method: "POST", headers, body: Buffer.concat(chunks) });
    answered.push(String(response.headers["content-encoding"]));
    outgoing.writeHead(response.statusCode, response.headers as never);
    outgoing.end(Buffer.from(await response.body.arrayBuffer()));
  }).listen(0, "127.0.0.1");
  await once(wire, "listening");
  closing.push(async () => wire.close());
  const engine = new RequestBatchingEngine({ compression: { enabled: true, threshold: 1024 } });
  closing.push(() => engine.close());
  engine.addEndpoint("counting", `http://127.0.0.1:${(wire.address() as AddressInfo).port}/batch`);
  const long = "x".repeat(5000);
  const work = (as: string) => engine.execute("counting", "tools/call", { name: "work", arguments: { as } });
  expect(textOf(await work(long))).toBe(JSON.stringify(long));
  expect(textOf(await work(long))).toBe(JSON.stringify(long));
  expect(textOf(await work("short"))).toBe('"short"');
  expect(seen.map((headers) => headers["content-encoding"])).toEqual([undefined, "zstd", undefined]);
  expect(Number(seen[1]?.["content-length"])).toBeLessThan(200);
  expect(answered).toEqual(["zstd", "zstd", "undefined"]);
});

test("the host refuses a coding that it does not know, bytes that are none, and what grows beyond its limit", async () => {
  const { url } = host;
  const post = async (coding: string, body: Buffer) => {
    const headers = { "content-type": "application/json", "content-encoding": coding, "accept-encoding": "zstd" };
    const response = await request(`${url}/batch`, { method: "POST", headers, body });
    return { status: response.statusCode, takes: response.headers["accept-encoding"] };
  };
  const takes = "zstd, br, gzip";
  expect(await post("compress", Buffer.from("[]"))).toEqual({ status: 415, takes });
  expect((await post("gzip", Buffer.from("not gzip"))).status).toBe(400);
  expect((await post("gzip", gzipSync(Buffer.alloc(20 * 1024 * 1024, " ")))).status).toBe(413);
  const ping = Buffer.from(JSON.stringify([{ jsonrpc: "2.0", id: 1, method: "ping" }]));
  expect((await post("gzip", gzipSync(ping))).status).toBe(200);
});

test("elsewhere the calls of a batch are pipelined over one connection of a pool", async () => {
  const pools = new ConnectionPoolManager();
  closing.push(() => pools.close());
  const pool = pools.createPool(
    "counting",
    process.execPath,
    "stdio",
    { minConnections: 1, maxConnections: 1 },
    { args: [fixture] },
  );
  const engine = new RequestBatchingEngine({ maxBatchSize: 10 });
  closing.push(() => engine.close());
  engine.addPool("counting", pool);
  const calls = Array.from({ length: 25 }, (_, as) =>
    engine.execute("counting", "tools/call", { name: "work", arguments: { as } }),
  );
  expect((await Promise.all(calls)).map(textOf)).toEqual(Array.from({ length: 25 }, (_, index) => String(index)));
  expect([engine.statistics()[0]?.batches, pool.statistics().acquired, pool.statistics().opened]).toEqual([3, 3, 1]);
});

/** A gateway whose server is another one's address. */
async function inFrontOf(endpoint: string, batching: NonNullable<ServerConfig["batching"]>): Promise<TestGateway> {
  const server: ServerConfig = {
    type: "custom",
    endpoints: [endpoint],
    isolation: "shared",
    scaling: { maxInstances: 1 },
    batching,
  };
  const gateway = await TestGateway.start({ servers: { far: server } });
  closing.push(() => gateway.close());
  return gateway;
}
async function batchesOf(gateway: TestGateway): Promise<{ count: number; sum: number }> {
  const text = await (await request(new URL("/metrics", gateway.url))).body.text();
  const read = (what: string) =>
    Number(new RegExp(`^mcp_upstream_batch_size_${what}.*} (\\d+)$`, "m").exec(text)?.[1] ?? 0);
  return { count: read("count"), sum: read("sum") };
}
const work = async (gateway: TestGateway) => {
  const client = await gateway.connect("/mcp/far");
  const before = await batchesOf(gateway);
  const calls = Array.from({ length: 30 }, (_, as) => say(client, "work", { as }));
  expect(await Promise.all(calls)).toEqual(Array.from({ length: 30 }, (_, index) => index));
  const after = await batchesOf(gateway);
  return { batches: after.count - before.count, requests: after.sum - before.sum };
};

test("the gateway sends requests to a server host's /batch together", async () => {
  const gateway = await inFrontOf(`${host.url}/mcp`, { path: "/batch" });
  const { batches, requests } = await work(gateway);
  expect(requests).toBe(30);
  expect(batches).toBeLessThan(30);
});

test("… and as arrays to a server that negotiates 2025-03-26; a new session follows one that was forgotten", async () => {
  const process_ = { command: process.execPath, args: [fixture] };
  const servers = {
    far: { type: "custom", process: process_, isolation: "shared", scaling: { maxInstances: 1 } },
  } as const;
  const far = await TestGateway.start({ servers });
  const gateway = await inFrontOf(`${far.url}/mcp/far`, {});
  const { batches, requests } = await work(gateway);
  expect(requests).toBe(30);
  expect(batches).toBeLessThan(30);
  // Another gateway at the same address knows nothing of the session.
  const port = Number(new URL(far.url).port);
  await far.close();
  const next = await TestGateway.start({ gateway: { port }, servers });
  closing.push(() => next.close());
  const client = await gateway.connect("/mcp/far");
  expect(await say(client, "work", { as: "again" })).toBe("again");
});

test("a server that speaks another revision gets each request by itself", async () => {
  const far = await Listening.start(join(import.meta.dirname, "../bench/echo-upstream.mjs"));
  closing.push(() => far.stop());
  const gateway = await inFrontOf(`http://127.0.0.1:${far.port}/mcp`, {});
  const client = await gateway.connect("/mcp/far");
  const { content } = await client.callTool({ name: "echo", arguments: { text: "hello" } });
  expect([content, await batchesOf(gateway)]).toEqual([[{ type: "text", text: "hello" }], { count: 0, sum: 0 }]);
});
