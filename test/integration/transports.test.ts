import { connect } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { Client, SSEClientTransport, type Transport } from "@modelcontextprotocol/client";
import { WebSocket } from "ws";
import { statefulServer, TestGateway } from "../support/gateway.ts";
import { heardProgress } from "../support/heard-progress.ts";
import { Listening } from "../support/listening.ts";
import { TcpTransport, WebSocketTransport } from "../support/transports.ts";

let gateway: TestGateway;
let everything: Listening | undefined;
const clients: Client[] = [];

async function start(): Promise<void> {
  gateway = await TestGateway.start({
    gateway: { listeners: { tcp: { port: 0 } } },
    servers: {
      bridge: {
        ...{ type: "custom", isolation: "shared" },
        process: { command: process.execPath, args: [join(import.meta.dirname, "../conformance/fixture/stdio.ts")] },
      },
      counter: statefulServer(),
    },
  });
}
beforeEach(start);
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  await gateway.close();
  await everything?.stop();
  everything = undefined;
});

const webSocket = (path = "/ws") => new WebSocketTransport(gateway.url.replace("http", "ws") + path);
const transports: Record<string, () => Transport> = {
  WebSocket: () => webSocket(),
  TCP: () => new TcpTransport(gateway.gateway.tcpPort as number),
  "HTTP+SSE": () => new SSEClientTransport(new URL("/sse", gateway.url)),
};

async function connected(transport: Transport, mode: "legacy" | "auto" = "legacy"): Promise<Client> {
  const options = { capabilities: { elicitation: {}, sampling: {} }, versionNegotiation: { mode } };
  const client = new Client({ name: "transports", version: "1" }, options);
  client.setRequestHandler("elicitation/create", async () => ({ action: "accept" as const, content: { answer: 1 } }));
  clients.push(client);
  await client.connect(transport);
  return client;
}

const textOf = async (client: Client, name: string, args: Record<string, unknown> = {}) => {
  const { content } = await client.callTool({ name, arguments: args });
  return (content as { text?: string }[])[0]?.text;
};

const cells = Object.keys(transports).flatMap((transport) =>
  (["legacy", "auto"] as const).map((mode) => ({ transport, mode })),
);

describe.each(cells)("a client in mode $mode over $transport", ({ transport, mode }) => {
  test("lists, calls, is asked, hears progress, and its session ends with the connection", async () => {
    const client = await connected((transports[transport] as () => Transport)(), mode);
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["bridge__test_elicitation", "counter__count"]),
    );
    expect(await textOf(client, "bridge__test_elicitation", { message: "sure?" })).toBe(
      'User response: action=accept, content={"answer":1}',
    );
    const slow = { name: "counter__slow", arguments: { steps: 3, ms: 50 } };
    const { progress } = await heardProgress(client, (options) => client.callTool(slow, options));
    expect(progress).toEqual([1, 2, 3]);
    await client.close();
    if (mode === "auto") return;
    for (let tries = 0; leased() > 0 && tries < 100; tries += 1) await new Promise((done) => setTimeout(done, 20));
    expect(leased()).toBe(0);
  });
});

/** Instances of the counter beyond the warm one. */
const leased = () =>
  (gateway.gateway.status().servers.find(({ name }) => name === "counter")?.instances.total ?? 0) - 1;

test("a WebSocket at /ws/<server> has that server's own names", async () => {
  const client = await connected(webSocket("/ws/counter"));
  expect(JSON.parse((await textOf(client, "count")) as string).count).toBe(1);
});

test.each([
  ["/ws/nobody", 404],
  ["/other", 404],
])("an upgrade at %s is refused", async (path, status) => {
  const socket = new WebSocket(gateway.url.replace("http", "ws") + path);
  const answer = await new Promise((resolve) => {
    socket.on("unexpected-response", (_request, response) => resolve(response.statusCode));
    socket.on("error", resolve);
  });
  expect(answer).toBe(status);
});

test("a WebSocket of a foreign page is refused, as a request is", async () => {
  const socket = new WebSocket(`${gateway.url.replace("http", "ws")}/ws`, { origin: "https://evil.example" });
  expect(
    await new Promise((resolve) => socket.on("unexpected-response", (_, answer) => resolve(answer.statusCode))),
  ).toBe(403);
});

test("on a bare connection every mistake has its answer", async () => {
  const socket = connect(gateway.gateway.tcpPort as number, "127.0.0.1");
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  const say = async (message: unknown) => {
    socket.write(
      `${typeof message === "string" ? message : JSON.stringify({ jsonrpc: "2.0", ...(message as object) })}\n`,
    );
    return JSON.parse((await lines.next()).value as string);
  };
  expect(await say({ id: 1, method: "ping" })).toEqual({ jsonrpc: "2.0", id: 1, result: {} });
  expect(await say([])).toMatchObject({ id: null, error: { code: -32600 } });
  expect(await say({ id: 2, method: "tools/list" })).toMatchObject({ id: 2, error: { code: -32600 } });
  const open = { id: 3, method: "initialize", params: { protocolVersion: "2025-03-26", capabilities: {} } };
  expect(await say(open)).toMatchObject({ id: 3, result: { protocolVersion: "2025-03-26" } });
  const pings = [4, "five"].map((id) => ({ jsonrpc: "2.0", id, method: "ping" }));
  expect(await say(JSON.stringify(pings))).toMatchObject([{ id: 4 }, { id: "five" }]);
  const modern = { "io.modelcontextprotocol/protocolVersion": "2099-01-01" };
  expect(await say({ id: 6, method: "tools/list", params: { _meta: modern } })).toMatchObject({
    ...{ id: 6, error: { code: -32022, data: { supported: ["2026-07-28"], requested: "2099-01-01" } } },
  });
  socket.destroy();
});

test.each(["sse", undefined] as const)("a server of 2024-11-05 over HTTP+SSE, protocol: %s", async (protocol) => {
  await gateway.close();
  everything = await Listening.start(join(import.meta.dirname, "../fixtures/everything.ts"));
  gateway = await TestGateway.start({
    servers: {
      everything: {
        ...{ type: "custom", endpoints: [`http://127.0.0.1:${everything.port}/sse`], isolation: "shared" },
        ...(protocol === undefined ? {} : { protocol }),
      },
    },
  });
  const client = await gateway.connect();
  const result = await client.callTool({ name: "everything__echo", arguments: { message: "hi" } });
  expect(result.content).toEqual([{ type: "text", text: "Echo: hi" }]);
});
