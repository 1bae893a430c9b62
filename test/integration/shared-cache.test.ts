import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect } from "@jest/globals";
import { request } from "undici";
import { say, TestGateway } from "../support/gateway.ts";
import { testWith } from "../support/needs.ts";
import { has } from "../support/present.ts";
import { RedisServer } from "../support/redis-server.ts";

const fixture = join(import.meta.dirname, "../fixtures/counting-server.mjs");
const test = testWith("redis-server");
let redis: RedisServer;
const gateways: TestGateway[] = [];
beforeAll(async () => {
  if (has("redis-server")) redis = await RedisServer.start();
});
afterAll(() => redis?.stop());
afterEach(async () => {
  for (const gateway of gateways.splice(0)) await gateway.close();
});

const keys = [{ id: "k", key: Buffer.alloc(32, 7).toString("base64url") }];
/** Each gateway has a counting server of its own: equal numbers come from the cache. */
async function start(prefix: string, session: object = { keys }): Promise<TestGateway> {
  const gateway = await TestGateway.start({
    gateway: { shared: { redis: redis.url, prefix }, session },
    servers: {
      counting: {
        ...{ type: "custom", process: { command: process.execPath, args: [fixture] }, isolation: "shared" },
        ...{ cache: { tools: { count: 60_000 } }, scaling: { maxInstances: 1 } },
      },
    },
  });
  gateways.push(gateway);
  return gateway;
}
const count = async (gateway: TestGateway, useCache = true) => {
  const url = new URL("/api/v1/servers/counting/requests", gateway.url);
  const headers = { "content-type": "application/json" };
  const body = JSON.stringify({ method: "count", useCache });
  const response = await request(url, { method: "POST", headers, body });
  return Number(((await response.body.json()) as { result: { content: { text: string }[] } }).result.content[0]?.text);
};
async function metric(gateway: TestGateway, name: string, more = ""): Promise<number> {
  const text = await (await request(new URL("/metrics", gateway.url))).body.text();
  return Number(new RegExp(`^${name}\\{server="counting"${more}\\} (\\S+)$`, "m").exec(text)?.[1]);
}
const until = async (done: () => Promise<boolean>) => {
  for (let attempt = 0; attempt < 500; attempt += 1) {
    if (await done()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error("it did not come about");
};

test("what one gateway has learnt the other one knows, until the server says that it has changed", async () => {
  const [first, second] = [await start("together"), await start("together")];
  await until(() => shared(first, second));
  const before = await count(first);
  expect(await count(second)).toBe(before);
  const client = await first.connect("/mcp/counting");
  await say(client, "change", { method: "notifications/tools/list_changed" });
  const fresh = await count(first);
  expect(fresh).toBeGreaterThan(before);
  // A third gateway has nothing of its own: it hears of the change through Redis.
  const third = await start("together");
  await until(() => shared(first, third));
  expect(await count(third)).toBe(fresh);
});

test("gateways with another prefix share nothing", async () => {
  const [first, second] = [await start("one"), await start("two")];
  for (let call = 0; call < 3; call += 1) await count(first, false);
  await count(first);
  expect(await count(second)).toBe(1);
});

test("who can write to Redis, but has not the gateways' keys, answers nobody's call", async () => {
  const [ours, foreign] = [await start("keys"), await start("keys", {})];
  const trusted = await start("keys");
  await until(() => shared(ours, trusted));
  // Each answer that ours has kept is found by the other one, and not used: its own server is asked.
  await until(async () => {
    expect(await shared(ours, foreign)).toBe(false);
    return (await metric(foreign, "mcp_cache_shared_forged_total")) > 0;
  });
  expect(await metric(foreign, "mcp_cache_requests_total", ',outcome="shared"')).toBe(0);
});

test("without Redis each gateway goes on alone, and counts that; nothing waits; it comes back by itself", async () => {
  const gateway = await start("away");
  await until(async () => (await metric(gateway, "mcp_cache_shared_failures_total")) >= 0);
  await redis.stop();
  const before = await count(gateway);
  expect([await count(gateway), await count(gateway, false)]).toEqual([before, before + 1]);
  expect(await metric(gateway, "mcp_cache_requests_total", ',outcome="hit"')).toBe(1);
  expect(await metric(gateway, "mcp_cache_shared_failures_total")).toBeGreaterThan(0);
  await redis.restart();
  const other = await start("away");
  await until(() => shared(gateway, other));
});

test("a Redis that hangs holds one call for a moment, not each call", async () => {
  const gateway = await start("hang");
  const client = await gateway.connect("/mcp/counting");
  const other = await start("hang");
  await until(() => shared(gateway, other));
  redis.hang(true);
  try {
    const failures = await metric(gateway, "mcp_cache_shared_failures_total");
    const misses = await metric(gateway, "mcp_cache_requests_total", ',outcome="miss"');
    for (let call = 0; call < 20; call += 1) {
      await client.callTool({ name: "count", arguments: { call } });
    }
    expect((await metric(gateway, "mcp_cache_requests_total", ',outcome="miss"')) - misses).toBe(20);
    expect((await metric(gateway, "mcp_cache_shared_failures_total")) - failures).toBeGreaterThanOrEqual(20);
  } finally {
    redis.hang(false);
  }
});

/** Does the second one get what the first one has asked for? */
async function shared(first: TestGateway, second: TestGateway): Promise<boolean> {
  const argument = String(Math.random());
  const ask = async (gateway: TestGateway) => {
    const url = new URL("/api/v1/servers/counting/requests", gateway.url);
    const body = JSON.stringify({ method: "count", params: { argument } });
    await request(url, { method: "POST", headers: { "content-type": "application/json" }, body }).then(({ body }) =>
      body.dump(),
    );
  };
  const hits = await metric(second, "mcp_cache_requests_total", ',outcome="shared"');
  await ask(first);
  await ask(second);
  return (await metric(second, "mcp_cache_requests_total", ',outcome="shared"')) > hits;
}
