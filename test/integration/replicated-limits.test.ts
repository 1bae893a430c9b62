import { join } from "node:path";
import { afterAll, beforeAll, expect } from "@jest/globals";
import { Agent, request } from "undici";
import type { Limit } from "../../runtime/config/schema/index.ts";
import { Listening } from "../support/listening.ts";
import { testWith } from "../support/needs.ts";
import { has } from "../support/present.ts";
import { RedisServer } from "../support/redis-server.ts";
import { Serving } from "../support/serving.ts";

// Two replicas of two workers each, four processes that count in one Redis. Calls take a connection each, so that every
// worker gets its share of them.
const max = 400;
const minutes: Limit = { windowMs: 600_000, maxRequests: max };
/** Calls of one phase: four times what is allowed, so that each process alone would allow all of its own. */
const calls = 4 * max;

/** Servers by name, each with its limit, all of them one echo server. */
const limits: Readonly<Record<string, Limit>> = {
  ...{ killed: minutes, hung: minutes },
  ...Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`fresh${index}`, minutes])),
  bucket: { windowMs: 1000, maxRequests: 200, burst: 50 },
  load: { windowMs: 600_000, maxRequests: 1e6 },
};

let echo: Listening;
let redis: RedisServer;
let replicas: Serving[];
let dispatcher: Agent;
const needed = "redis-server";
const test = testWith(needed);

beforeAll(async () => {
  if (!has(needed)) return;
  dispatcher = new Agent({ connections: 8, pipelining: 0 });
  [echo, redis] = await Promise.all([
    Listening.start(join(import.meta.dirname, "../bench/echo-upstream.mjs")),
    RedisServer.start(),
  ]);
  const endpoints = [`http://127.0.0.1:${echo.port}/mcp`];
  const servers = Object.fromEntries(
    Object.entries(limits).map(([name, rateLimiting]) => [
      name,
      { type: "custom" as const, isolation: "shared" as const, endpoints, rateLimiting },
    ]),
  );
  const gateway = { workers: 2, log: { level: "info" as const }, shared: { redis: redis.url } };
  replicas = await Promise.all([1, 2].map(() => Serving.start({ gateway, servers }, "workers serve")));
  await until(async () => {
    const asked = await Promise.all(replicas.map(({ url }) => request(`${url}/ready`)));
    await Promise.all(asked.map(({ body }) => body.dump()));
    return asked.every(({ statusCode }) => statusCode === 200);
  });
});
afterAll(async () => {
  if (!has(needed)) return;
  await dispatcher.close();
  await Promise.all(replicas.map((replica) => replica.stop()));
  await Promise.all([echo.stop(), redis.stop()]);
});

async function call(server: string, replica: Serving): Promise<number> {
  const { statusCode, body } = await request(`${replica.url}/api/v1/servers/${server}/tools/echo`, {
    ...{ method: "POST", headers: { "content-type": "application/json" }, body: '{"text":"a"}', dispatcher },
  });
  await body.dump();
  return statusCode;
}

/** So many calls, sixteen at a time, the replicas in turn; how many had which status. */
async function burst(server: string, count = calls): Promise<Record<number, number>> {
  const statuses: Record<number, number> = {};
  let begun = 0;
  const work = async () => {
    while (begun < count) {
      begun += 1;
      const status = await call(server, replicas[begun % 2] as Serving);
      statuses[status] = (statuses[status] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: 16 }, work));
  return statuses;
}

/** Calls that processes counted without Redis, over all of them. */
async function alone(): Promise<number> {
  const texts = await Promise.all(replicas.map(async ({ url }) => (await request(`${url}/metrics`)).body.text()));
  const values = texts.flatMap((text) => [...text.matchAll(/^mcp_rate_limit_degraded_total(?:\{[^}]*\})? (\d+)$/gm)]);
  expect(values.length).toBeGreaterThanOrEqual(replicas.length);
  return values.reduce((sum, [, value]) => sum + Number(value), 0);
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("it never came to that");
}

/** Every worker counts in Redis once more: the number stands still while all of them are called. */
const allCountInRedis = () =>
  until(async () => {
    const counted = await alone();
    await burst("load", 64);
    return (await alone()) === counted;
  });

/**
 * Four times as many calls as a window allows, until no process had to count alone meanwhile: on a busy machine Redis may be
 * silent for longer than the tenth of a second that a call waits. What was too much was in every try counted as such.
 */
async function exactly(): Promise<void> {
  for (let tries = 0; tries < 3; tries += 1) {
    const before = await alone();
    const { 200: passed = 0, 429: refused = 0, ...failed } = await burst(`fresh${used++}`);
    const degraded = (await alone()) - before;
    expect({ failed, calls: passed + refused }).toEqual({ failed: {}, calls });
    if (degraded === 0) return expect(passed).toBe(max);
    expect(passed).toBeLessThanOrEqual(max + degraded);
    await allCountInRedis();
  }
  throw new Error("Redis was silent each time");
}
let used = 0;

test("two replicas of two workers let through exactly what a window allows", async () => {
  await exactly();
});

test("a token bucket over four processes gives no more than its rate and its burst", async () => {
  const before = await alone();
  const began = performance.now();
  const { 200: passed = 0, 429: refused = 0, ...others } = await burst("bucket");
  const allowed = 50 + 0.2 * (performance.now() - began);
  expect(others).toEqual({});
  expect(refused).toBeGreaterThan(0);
  // At most one in a hundred over the limit; that it is no less either depends on the load, not on the limit.
  expect(passed).toBeGreaterThan(50);
  expect(passed).toBeLessThanOrEqual(Math.ceil(allowed * 1.01) + (await alone()) - before);
});

test("Redis is killed and comes back under load: no call fails, what was counted alone is counted, then limits are exact again", async () => {
  const seen: Record<number, number> = {};
  let loading = true;
  const load = Promise.all(
    replicas.map(async (replica) => {
      while (loading) {
        const status = await call("load", replica);
        seen[status] = (seen[status] ?? 0) + 1;
      }
    }),
  );
  try {
    await exactly();

    const before = await alone();
    await redis.stop();
    const { 200: passed = 0, 429: refused = 0, ...failed } = await burst("killed");
    expect(failed).toEqual({});
    expect(passed + refused).toBe(calls);
    // Each of the four processes allows as much as the limit for itself, and no more.
    expect(passed).toBeGreaterThan(max);
    expect(passed).toBeLessThanOrEqual(4 * max);
    expect(await alone()).toBeGreaterThanOrEqual(before + calls);

    await redis.restart();
    await allCountInRedis();
    await exactly();
  } finally {
    loading = false;
    await load;
  }
  expect(Object.keys(seen)).toEqual(["200"]);
});

test("Redis hangs and goes on: no call fails or waits for it, then limits are exact again", async () => {
  redis.hang(true);
  const before = await alone();
  const { 200: passed = 0, 429: refused = 0, ...failed } = await burst("hung");
  expect(failed).toEqual({});
  expect(passed + refused).toBe(calls);
  expect(passed).toBeLessThanOrEqual(4 * max);
  expect(await alone()).toBeGreaterThanOrEqual(before + calls);
  redis.hang(false);
  await allCountInRedis();
  await exactly();
});
