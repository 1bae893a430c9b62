import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import type { Client } from "@modelcontextprotocol/client";
import { freePort } from "../support/checkout.ts";
import { TestGateway } from "../support/gateway.ts";

// The reference server over Streamable HTTP, which something else runs.
const program = join(import.meta.dirname, "../../node_modules/@modelcontextprotocol/server-everything/dist/index.js");
let port: number;
let server: ChildProcess;
let gateway: TestGateway;
let client: Client;

async function startServer(): Promise<void> {
  server = spawn(process.execPath, [program, "streamableHttp"], { env: { ...process.env, PORT: String(port) } });
  let said = "";
  server.stderr?.on("data", (chunk) => {
    said += chunk;
  });
  while (!said.includes("listening")) await new Promise((resolve) => setTimeout(resolve, 20));
}
async function killServer(): Promise<void> {
  const exit = once(server, "exit");
  server.kill("SIGKILL");
  await exit;
}

beforeEach(async () => {
  port = await freePort();
  await startServer();
  gateway = await TestGateway.start({
    servers: { everything: { type: "custom", endpoints: [`http://127.0.0.1:${port}/mcp`], isolation: "shared" } },
  });
  client = await gateway.connect();
});
afterEach(async () => {
  await gateway.close();
  await killServer();
});

const echo = (message: string) => client.callTool({ name: "everything__echo", arguments: { message } });
const answer = (message: string) => ({ content: [{ type: "text", text: `Echo: ${message}` }] });

test("tools, results, structured content and progress of a server over HTTP", async () => {
  const names = (await client.listTools()).tools.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(["everything__echo", "everything__get-structured-content"]));
  expect(await echo("hello")).toMatchObject(answer("hello"));
  const weather = { name: "everything__get-structured-content", arguments: { location: "Chicago" } };
  expect((await client.callTool(weather)).structuredContent).toEqual({
    temperature: 36,
    conditions: "Light rain / drizzle",
    humidity: 82,
  });
  const heard: unknown[] = [];
  const long = { name: "everything__trigger-long-running-operation", arguments: { duration: 0.2, steps: 2 } };
  await client.callTool(long, { onprogress: ({ progress, total }) => heard.push([progress, total]) });
  expect(heard).toEqual([
    [1, 2],
    [2, 2],
  ]);
});

test("calls side by side share the session and each has its own answer", async () => {
  const messages = Array.from({ length: 50 }, (_, index) => `message ${index}`);
  expect(await Promise.all(messages.map(echo))).toMatchObject(messages.map(answer));
});

test("a restarted server has forgotten the session: the next call succeeds in a new one", async () => {
  await echo("before");
  await killServer();
  await startServer();
  expect(await echo("after")).toMatchObject(answer("after"));
});

test("a server that is away is named with its address, and serves again when it is back", async () => {
  await echo("before");
  await killServer();
  const failure = await echo("away").catch((error) => error);
  expect(failure.data).toMatchObject({ retryable: true });
  expect(failure.message).toContain(`http://127.0.0.1:${port}`);
  await startServer();
  for (;;) {
    const outcome = await echo("back").catch((error) => error);
    if (!(outcome instanceof Error)) {
      expect(outcome).toMatchObject(answer("back"));
      return;
    }
  }
});
