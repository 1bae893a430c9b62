import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { say, statefulServer, TestGateway } from "../support/gateway.ts";
import { isWorkedIn } from "../support/proc.ts";

let it: TestGateway;
const temporaryFolders = () =>
  readdirSync(tmpdir())
    .filter((name) => name.startsWith("mcp-fleet-"))
    .sort();
let before: string[];

beforeEach(async () => {
  before = temporaryFolders();
  it = await TestGateway.start({
    servers: {
      stateful: statefulServer({
        scaling: { minInstances: 1, maxInstances: 3 },
        tools: { deny: ["crash"], aliases: { tally: "count" } },
      }),
      shared: statefulServer({ isolation: "shared", tools: { allow: ["count", "crash", "slow"] } }),
    },
  });
});
afterEach(async () => {
  await it.close();
  // Whatever a test did, nothing of it is left. Other gateways of this machine come and go, with processes in their folders.
  const left = async () => {
    const fresh = temporaryFolders().filter((name) => !before.includes(name));
    const used = await Promise.all(fresh.map((name) => isWorkedIn(join(tmpdir(), name))));
    return fresh.filter((_name, index) => !used[index]);
  };
  for (let tries = 0; (await left()).length > 0 && tries < 100; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  expect(await left()).toEqual([]);
});

test("the federated path lists every server's tools and prompts under the server's name, in a fixed order", async () => {
  const client = await it.connect();
  expect((await client.listTools()).tools.map(({ name }) => name)).toEqual([
    "shared__count",
    "shared__crash",
    "shared__slow",
    "stateful__count",
    "stateful__slow",
    "stateful__where",
  ]);
  expect((await client.listPrompts()).prompts.map(({ name }) => name)).toEqual(["shared__greet", "stateful__greet"]);
  expect((await client.getPrompt({ name: "stateful__greet" })).messages).toEqual([
    { role: "user", content: { type: "text", text: "hello" } },
  ]);
});

test("a server's own path leaves names alone and passes the server's own words on", async () => {
  const client = await it.connect("/mcp/stateful");
  expect(client.getServerVersion()).toMatchObject({ name: "stateful", version: "1.2.3" });
  expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(["count", "slow", "where"]);
  expect(await say(client, "tally")).toMatchObject({ count: 1 });
  await expect(client.callTool({ name: "crash" })).rejects.toThrow("Unknown tool: crash");
});

test("isolation session: each session has a process to itself, and its state goes with it", async () => {
  const [anna, bert] = [await it.connect(), await it.connect()];
  expect(await say(anna, "stateful__count")).toMatchObject({ count: 1 });
  expect(await say(anna, "stateful__count")).toMatchObject({ count: 2 });
  expect(await say(bert, "stateful__count")).toMatchObject({ count: 1 });
});

test("isolation shared: all sessions use one process", async () => {
  const [anna, bert] = [await it.connect(), await it.connect()];
  expect(await say(anna, "shared__count")).toMatchObject({ count: 1 });
  expect(await say(bert, "shared__count")).toMatchObject({ count: 2 });
});

test("progress arrives while the call runs, under the client's own token", async () => {
  const client = await it.connect();
  const heard: number[] = [];
  const request = { name: "stateful__slow", arguments: { steps: 3, ms: 5 } };
  await client.callTool(request, { onprogress: ({ progress }) => heard.push(progress) });
  expect(heard).toEqual([1, 2, 3]);
});

test("a cancelled call ends at once and leaves the session usable", async () => {
  const client = await it.connect("/mcp/stateful");
  const stop = new AbortController();
  const call = client.callTool({ name: "slow", arguments: { steps: 1000, ms: 10 } }, { signal: stop.signal });
  setTimeout(() => stop.abort("enough"), 50);
  await expect(call).rejects.toThrow("enough");
  expect(await say(client, "count")).toMatchObject({ count: 1 });
});

test.each(["stateful", "shared"])(
  "after kill -9 of a process (%s) during a call the next call of the same session succeeds",
  async (server) => {
    const client = await it.connect();
    const { pid } = (await say(client, `${server}__count`)) as { pid: number };
    const cut = client
      .callTool({ name: `${server}__slow`, arguments: { steps: 1, ms: 10_000 } })
      .catch((error) => error);
    setTimeout(() => process.kill(pid, "SIGKILL"), 50);
    expect((await cut).data).toEqual({ code: "INSTANCE_LOST", retryable: true });
    expect(await say(client, `${server}__count`)).toMatchObject({ count: 1 });
  },
);

test("a call that is cut off says so, with a retryable error", async () => {
  const client = await it.connect();
  const error = await client.callTool({ name: "shared__crash" }).catch((thrown) => thrown);
  expect(error.message).toContain("shared: the server ended during the call (exit code 7); call again");
  expect(error.data).toEqual({ code: "INSTANCE_LOST", retryable: true });
  expect(await say(client, "shared__count")).toMatchObject({ count: 1 });
});

test("a full pool answers with a retryable error, and an ended session makes room", async () => {
  await it.close();
  const scaling = { minInstances: 0, maxInstances: 1 };
  it = await TestGateway.start({ servers: { stateful: statefulServer({ scaling, timeouts: { connectMs: 1500 } }) } });
  const anna = await it.connect();
  await say(anna, "stateful__count");
  const bert = await it.connect();
  const error = await bert.callTool({ name: "stateful__count" }).catch((thrown) => thrown);
  expect(error.data).toEqual({ code: "POOL_EXHAUSTED", retryable: true });
  await (anna.transport as unknown as { terminateSession(): Promise<void> }).terminateSession();
  expect(await say(bert, "stateful__count")).toMatchObject({ count: 1 });
});

test("a restarted gateway with the same state folder serves the sessions of the one before", async () => {
  const port = Number(new URL(it.url).port);
  const client = await it.connect();
  await say(client, "stateful__count");
  await it.gateway.close();
  const next = await TestGateway.start(
    { gateway: { port }, servers: { stateful: statefulServer() } },
    { stateDirectory: it.folder },
  );
  expect(await say(client, "stateful__count")).toMatchObject({ count: 1 });
  await client.close();
  await next.stop();
});
