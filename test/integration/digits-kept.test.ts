import { join } from "node:path";
import { afterEach, expect, test } from "@jest/globals";
import { request } from "undici";
import { exactly } from "../support/exact-json.ts";
import { TestGateway } from "../support/gateway.ts";
import { HostProcess } from "../support/host-process.ts";
import { testWith } from "../support/needs.ts";
import { RedisServer } from "../support/redis-server.ts";

// Numbers keep their digits where an answer is not relayed at once: kept for later, in Redis, in a batch of several.
const file = join(import.meta.dirname, "../fixtures/digits/server.ts");
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const long = '{"id":2047948614742839297,"f":1.0,"e":1e400,"neg":-0}';
const callOf = (value: string, answer = long) =>
  `{"name":"echo","arguments":{"value":${value},"answer":${JSON.stringify(answer)},"linked":false}}`;

/** The structured result of `echo`, as text was sent. */
async function echo(gateway: TestGateway, params: string): Promise<unknown> {
  const { body } = await request(`${gateway.url}/api/v1/servers/digits/requests`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: `{"method":"tools/call","params":${params}}`,
  });
  return (exactly(await body.text()) as { result: { structuredContent: unknown } }).result.structuredContent;
}

async function outcomes(gateway: TestGateway): Promise<Record<string, number>> {
  const text = await (await request(`${gateway.url}/metrics`)).body.text();
  const lines = text.matchAll(/^mcp_cache_requests_total\{server="digits",outcome="(\w+)"\} (\d+)$/gm);
  return Object.fromEntries([...lines].map(([, outcome, count]) => [outcome, Number(count)]));
}

testWith("redis-server")("an answer that another gateway has put into Redis has the digits of the server", async () => {
  const redis = await RedisServer.start();
  closing.push(() => redis.stop());
  const start = async () => {
    const gateway = await TestGateway.start({
      gateway: {
        shared: { redis: redis.url, prefix: "digits" },
        session: { keys: [{ id: "k", key: Buffer.alloc(32, 7).toString("base64url") }] },
      },
      servers: {
        digits: {
          ...{ type: "custom", isolation: "shared", cache: { tools: { echo: 60_000 } } },
          process: { command: process.execPath, args: [file, "stdio"] },
        },
      },
    });
    closing.push(() => gateway.close());
    return gateway;
  };
  const [first, second] = [await start(), await start()];
  // Until both are connected to Redis, each asks its own server.
  for (let value = 0; ((await outcomes(second)).shared ?? 0) === 0; value += 1) {
    const [asked, kept, shared] = [
      await echo(first, callOf(String(value))),
      await echo(first, callOf(String(value))),
      await echo(second, callOf(String(value))),
    ];
    expect([asked, kept, shared]).toEqual([exactly(long), exactly(long), exactly(long)]);
  }
  expect((await outcomes(first)).hit).toBeGreaterThan(0);
  // Arguments that differ in a digit alone are not the same call.
  const near = (digit: string) => callOf(`204794861474283929${digit}`, `{"digit":${digit}}`);
  expect([await echo(first, near("7")), await echo(first, near("8"))]).toEqual([
    exactly('{"digit":7}'),
    exactly('{"digit":8}'),
  ]);
});

test("calls that go to their server host in one batch have their digits there and back", async () => {
  const host = await HostProcess.start("digits", "isolation: shared\nscaling: { maxInstances: 1 }", file, "stdio");
  closing.push(() => host.stop());
  const gateway = await TestGateway.start({
    servers: {
      digits: {
        ...{ type: "custom", isolation: "shared", endpoints: [`${host.url}/mcp`] },
        batching: { path: "/batch", maxInFlight: 1, batchTimeoutMs: 50 },
      },
    },
  });
  closing.push(() => gateway.close());
  const answers = Array.from({ length: 20 }, (_, index) => `{"id":20479486147428392${index + 10},"f":${index}.0}`);
  const said = await Promise.all(answers.map((answer, index) => echo(gateway, callOf(`${index}.0`, answer))));
  expect(said).toEqual(answers.map(exactly));
  const text = await (await request(`${gateway.url}/metrics`)).body.text();
  const [, batches] = /^mcp_upstream_batch_size_count.*\} (\d+)$/m.exec(text) ?? [];
  expect(Number(batches)).toBeGreaterThan(0);
  expect(Number(batches)).toBeLessThan(20);
});
