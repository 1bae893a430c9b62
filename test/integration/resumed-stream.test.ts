import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { afterEach, expect, test } from "@jest/globals";
import type { RpcRequest } from "../../runtime/protocol/json-rpc.ts";
import { TestGateway } from "../support/gateway.ts";

// A server of the session era that leaves the stream of a call before its response (SEP-1699).
let server: Server;
let gateway: TestGateway;
afterEach(async () => {
  await gateway.close();
  server.closeAllConnections();
  server.close();
});

const results: Record<string, unknown> = {
  initialize: {
    protocolVersion: "2025-11-25",
    capabilities: { tools: {} },
    serverInfo: { name: "polling", version: "1" },
  },
  "tools/list": { tools: [{ name: "slow", inputSchema: { type: "object" } }] },
};
const event = (id: string, message: object | "") =>
  `id: ${id}\nretry: 60\ndata: ${message === "" ? "" : JSON.stringify({ jsonrpc: "2.0", ...message })}\n\n`;

/** Starts the server; `leave` ends the stream of a call, `resumed` collects what is asked for later. */
async function start(leave: (response: ServerResponse) => void, resumed: unknown[]): Promise<string> {
  let call: RpcRequest["id"] = 0;
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    response.setHeader("mcp-session-id", "s");
    if (request.method === "GET") {
      const from = request.headers["last-event-id"];
      if (from === undefined) return response.writeHead(405).end();
      resumed.push(from);
      response.writeHead(200, { "content-type": "text/event-stream" });
      // The first time there is nothing yet; then the response comes, and the stream stays open.
      if (resumed.length === 1) return response.end(event("b", ""));
      return response.write(event("c", { id: call, result: { content: [{ type: "text", text: "done" }] } }));
    }
    if (request.method === "DELETE") return response.writeHead(200).end();
    const { id, method } = (await json(request)) as RpcRequest;
    if (id === undefined) return response.writeHead(202).end();
    if (method === "tools/call") {
      call = id;
      response.writeHead(200, { "content-type": "text/event-stream" });
      return response.write(event("a", ""), () => leave(response));
    }
    const outcome = method in results ? { result: results[method] } : { error: { code: -32601, message: "unknown" } };
    response.writeHead(200, { "content-type": "application/json" });
    return response.end(JSON.stringify({ jsonrpc: "2.0", id, ...outcome }));
  };
  server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
}

test.each([
  ["ended", (response: ServerResponse) => void response.end()],
  ["broken off", (response: ServerResponse) => void response.destroy()],
])("the stream of a call that is %s before its response is read on with Last-Event-ID", async (_how, leave) => {
  const resumed: unknown[] = [];
  const endpoint = await start(leave, resumed);
  gateway = await TestGateway.start({ servers: { polling: { type: "custom", endpoints: [endpoint] } } });
  const client = await gateway.connect("/mcp/polling");
  const { content } = await client.callTool({ name: "slow", arguments: {} });
  expect(content).toEqual([{ type: "text", text: "done" }]);
  expect(resumed).toEqual(["a", "b"]);
});

test("a server that wants to be left alone for days does not hold a call past its time", async () => {
  const resumed: unknown[] = [];
  const endpoint = await start((response) => void response.end("id: z\nretry: 999999999\ndata: \n\n"), resumed);
  gateway = await TestGateway.start({
    servers: { polling: { type: "custom", endpoints: [endpoint], timeouts: { requestMs: 300 } } },
  });
  const client = await gateway.connect("/mcp/polling");
  await expect(client.callTool({ name: "slow", arguments: {} })).rejects.toThrow(
    "polling: no answer within 300 ms; raise timeouts.requestMs of this server, or ask for less in one call",
  );
  // It was left alone: not even the last moment of the call went to it.
  expect(resumed).toEqual([]);
});

/** Starts a server whose GET stream does what `stream` does, the first time with 1. */
async function startStreaming(
  stream: (response: ServerResponse, time: number, lastEventId: unknown) => void,
): Promise<string> {
  let times = 0;
  server = createServer(async (request, response) => {
    response.setHeader("mcp-session-id", "s");
    if (request.method === "GET") {
      times += 1;
      response.writeHead(200, { "content-type": "text/event-stream" });
      stream(response, times, request.headers["last-event-id"]);
      return;
    }
    const { id, method = "" } = (request.method === "POST" ? await json(request) : {}) as Partial<RpcRequest>;
    const outcome = method in results ? { result: results[method] } : { error: { code: -32601, message: "unknown" } };
    response.writeHead(id === undefined ? 202 : 200, { "content-type": "application/json" });
    response.end(id === undefined ? "" : JSON.stringify({ jsonrpc: "2.0", id, ...outcome }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
}

test("an event whose id no header can have does not end the gateway: its stream begins again without", async () => {
  const asked: unknown[] = [];
  const endpoint = await startStreaming((response, time, lastEventId) => {
    asked.push(lastEventId);
    // A control character, then one that latin1 would make a line feed.
    response.end(`retry: 50\nid: ${time % 2 === 1 ? "\u0001" : "\u010a"}\ndata: {}\n\n`);
  });
  gateway = await TestGateway.start({ servers: { polling: { type: "custom", endpoints: [endpoint] } } });
  const client = await gateway.connect("/mcp/polling");
  while (asked.length < 3) await new Promise((resolve) => setTimeout(resolve, 20));
  expect(asked.slice(0, 3)).toEqual([undefined, undefined, undefined]);
  expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(["slow"]);
});

test("a server whose stream ends as soon as it is open is asked for it less and less often", async () => {
  const asked: number[] = [];
  const pause = 50;
  const endpoint = await startStreaming((response, time) => {
    asked.push(performance.now());
    response.end(`id: ${time}\nretry: ${pause}\ndata: \n\n`);
  });
  gateway = await TestGateway.start({ servers: { polling: { type: "custom", endpoints: [endpoint] } } });
  await (await gateway.connect("/mcp/polling")).listTools();
  while (asked.length < 6) await new Promise((resolve) => setTimeout(resolve, 20));
  const gaps = asked.slice(1).map((at, index) => at - (asked[index] as number));
  // A timer can be a moment early.
  expect(gaps.map((gap, index) => gap > pause * 2 ** index - 20)).toEqual([true, true, true, true, true]);
});
