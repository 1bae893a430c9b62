import { join } from "node:path";
import { afterEach, expect, test } from "@jest/globals";
import { request } from "undici";
import type { Server } from "../../runtime/config/schema/index.ts";
import { say, TestGateway } from "../support/gateway.ts";

const fixture = join(import.meta.dirname, "../fixtures/counting-server.mjs");
let gateway: TestGateway;
afterEach(() => gateway.close());

const start = async (more: Partial<Server> = {}) => {
  const process_ = { command: process.execPath, args: [fixture] };
  const scaling = { maxInstances: 1 };
  const counting: Server = { type: "custom", process: process_, isolation: "shared", scaling, ...more };
  gateway = await TestGateway.start({ servers: { counting } });
};
async function execute(body: Record<string, unknown>): Promise<{ content: { text: string }[] }> {
  const url = new URL("/api/v1/servers/counting/requests", gateway.url);
  const headers = { "content-type": "application/json" };
  const response = await request(url, { method: "POST", headers, body: JSON.stringify(body) });
  return ((await response.body.json()) as { result: { content: { text: string }[] } }).result;
}
async function metric(name: string, labels: string): Promise<number> {
  const text = await (await request(new URL("/metrics", gateway.url))).body.text();
  return Number(new RegExp(`^${name}\\{${labels}\\} (\\S+)$`, "m").exec(text)?.[1]);
}

test("a tool's answer is kept where the operator says so, until it is unwanted or the server's tools change", async () => {
  await start({ cache: { tools: { count: 60_000 } } });
  const [anna, berta] = [await gateway.connect("/mcp/counting"), await gateway.connect("/mcp/counting")];
  expect([await say(anna, "count"), await say(anna, "count"), await say(berta, "count")]).toEqual([1, 1, 1]);
  expect((await execute({ method: "count" })).content[0]?.text).toBe("1");
  expect((await execute({ method: "count", useCache: false })).content[0]?.text).toBe("2");
  expect(await say(anna, "count")).toBe(2);
  expect([
    await metric("mcp_cache_requests_total", 'server="counting",outcome="hit"'),
    await metric("mcp_cache_entries", 'server="counting"'),
  ]).toEqual([4, 1]);
  await say(anna, "change", { method: "notifications/tools/list_changed" });
  expect(await say(anna, "count")).toBe(3);
});

test("a resource is kept for as long as its server says, until it says that it has changed", async () => {
  await start();
  // By REST: the SDK's client keeps resources itself.
  const read = async (uri: string) => {
    const { contents } = (await execute({ method: "resources/read", params: { uri } })) as never;
    return (contents as { text: string }[])[0]?.text;
  };
  expect([await read("file:///a"), await read("file:///a"), await read("file:///b")]).toEqual(["1", "1", "1"]);
  const params = { method: "notifications/resources/updated", params: { uri: "file:///a" } };
  await execute({ method: "change", params });
  expect([await read("file:///a"), await read("file:///b")]).toEqual(["2", "1"]);
});

test("identical calls under way of a tool that only reads become one", async () => {
  await start({ coalescing: { enabled: true } });
  const clients = await Promise.all([1, 2, 3].map(() => gateway.connect("/mcp/counting")));
  await clients[0]?.listTools();
  const answers = await Promise.all(clients.flatMap((client) => [say(client, "look"), say(client, "look")]));
  expect(answers).toEqual([1, 1, 1, 1, 1, 1]);
  expect(await metric("mcp_coalesced_total", 'server="counting"')).toBe(5);
  expect(await say(clients[0] as never, "look")).toBe(2);
});

test("unasked each call is a call", async () => {
  await start();
  const client = await gateway.connect("/mcp/counting");
  await client.listTools();
  expect((await Promise.all([say(client, "look"), say(client, "look")])).sort()).toEqual([1, 2]);
});

test("where calls wait for each other the urgent ones go first, by REST and by _meta", async () => {
  await start({ queue: { concurrency: 1 } });
  const client = await gateway.connect("/mcp/counting");
  const low = (as: string) => execute({ method: "work", params: { as }, priority: "low" });
  const urgent = (as: string) =>
    client.callTool({ name: "work", arguments: { as }, _meta: { "mcp-fleet/priority": "critical" } });
  const calls: Promise<unknown>[] = [low("first")];
  while ((await metric("mcp_server_in_flight", 'server="counting"')) !== 1);
  for (const as of ["second", "third"]) calls.push(low(as));
  while ((await metric("mcp_queue_length", 'server="counting",priority="low"')) > 2);
  calls.push(urgent("urgent"));
  await Promise.all(calls);
  const order = (await say(client, "order")) as string[];
  expect(order.indexOf("urgent")).toBeLessThan(order.indexOf("third"));
});
