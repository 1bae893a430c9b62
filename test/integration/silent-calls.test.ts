import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { RpcRequest } from "../../runtime/protocol/json-rpc.ts";
import { TestGateway } from "../support/gateway.ts";

// A server whose tool says nothing until the test lets it answer.
const waiting = new Map<string, () => void>();
let server: Server;
let gateway: TestGateway;

const results: Record<string, unknown> = {
  initialize: {
    protocolVersion: "2025-11-25",
    capabilities: { tools: {} },
    serverInfo: { name: "slow", version: "1" },
  },
  "tools/list": { tools: [{ name: "wait", inputSchema: { type: "object" } }] },
};

async function answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  if (incoming.method !== "POST") {
    response.writeHead(405).end();
    return;
  }
  const { id, method, params } = (await json(incoming)) as RpcRequest;
  if (id === undefined) {
    response.writeHead(202).end();
    return;
  }
  const say = (outcome: object) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ jsonrpc: "2.0", id, ...outcome }));
  };
  if (method !== "tools/call") say(method in results ? { result: results[method] } : unknown);
  else waiting.set(String((params?.arguments as { key: string } | undefined)?.key), () => say({ result: done }));
}
const unknown = { error: { code: -32601, message: "unknown" } };
const done = { content: [{ type: "text", text: "done" }] };

beforeAll(async () => {
  server = createServer((incoming, response) => void answer(incoming, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  gateway = await TestGateway.start({
    servers: { slow: { type: "custom", endpoints: [`http://127.0.0.1:${port}/mcp`], isolation: "shared" } },
  });
});
afterAll(async () => {
  await gateway.close();
  server.closeAllConnections();
  server.close();
});

/** Sends one message; `onText` hears what has come so far. */
function post(
  message: object,
  headers: Record<string, string>,
  onText: (text: string) => void = () => {},
): Promise<{ readonly type: string | undefined; readonly session: unknown; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const options = { method: "POST", headers: { "content-type": "application/json", ...headers } };
    const sent = request(`${gateway.url}/mcp/slow`, options, async (response) => {
      let text = "";
      for await (const chunk of response.setEncoding("utf8")) {
        text += chunk;
        onText(text);
      }
      resolve({ type: response.headers["content-type"], session: response.headers["mcp-session-id"], text });
    });
    sent.on("error", reject).end(JSON.stringify({ jsonrpc: "2.0", ...message }));
  });
}

const both = "application/json, text/event-stream";
async function openSession(accept = both): Promise<Record<string, string>> {
  const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "raw", version: "1" } };
  const { session } = await post({ id: 1, method: "initialize", params }, { accept });
  return { accept, "mcp-session-id": String(session) };
}
const clientInfo = { name: "raw", version: "1" };
const envelope = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientInfo": clientInfo,
  "io.modelcontextprotocol/clientCapabilities": {},
};
const stateless = {
  accept: both,
  "mcp-protocol-version": "2026-07-28",
  "mcp-method": "tools/call",
  "mcp-name": "wait",
};
/** Lets a call answer, once. */
function go(key: string): void {
  waiting.get(key)?.();
  waiting.delete(key);
}
const comments = (text: string) => text.split(": keep-alive\n\n").length - 1;
const called = async (key: string) => {
  while (!waiting.has(key)) await new Promise((resolve) => setTimeout(resolve, 10));
};

test.concurrent.each(["2025-11-25", "2026-07-28"])(
  "a client of %s hears a comment at each interval of a long silent call, then its answer",
  async (era) => {
    const modern = era === "2026-07-28";
    const headers = modern ? stateless : await openSession();
    const params = { name: "wait", arguments: { key: era }, ...(modern ? { _meta: envelope } : {}) };
    const { type, text } = await post({ id: 2, method: "tools/call", params }, headers, (sofar) => {
      if (comments(sofar) === 2) go(era);
    });
    const [, data] = /\ndata: (.*)\n\n$/.exec(text) ?? [];
    expect([type, comments(text), JSON.parse(data ?? "null")]).toEqual([
      "text/event-stream",
      2,
      { jsonrpc: "2.0", id: 2, result: modern ? expect.objectContaining(done) : done },
    ]);
  },
);

test.concurrent("a client that takes JSON alone gets JSON, however long the call is silent", async () => {
  const headers = { ...(await openSession()), accept: "application/json" };
  const answering = post(
    { id: 2, method: "tools/call", params: { name: "wait", arguments: { key: "json" } } },
    headers,
  );
  await called("json");
  // Another client's call tells when the interval has passed twice.
  const params = { name: "wait", arguments: { key: "other" } };
  await post({ id: 2, method: "tools/call", params }, await openSession(), (text) => {
    if (comments(text) === 1) go("other");
  });
  go("json");
  const { type, text } = await answering;
  expect([type, JSON.parse(text)]).toEqual(["application/json", { jsonrpc: "2.0", id: 2, result: done }]);
});

test.concurrent("a batch that is silent for long is kept alive too", async () => {
  const params = { protocolVersion: "2025-03-26", capabilities: {}, clientInfo };
  const { session } = await post({ id: 1, method: "initialize", params }, { accept: both });
  const headers = { accept: both, "mcp-session-id": String(session), "content-type": "application/json" };
  const calls = ["one", "two"].map((key, id) => ({
    ...{ jsonrpc: "2.0", id, method: "tools/call", params: { name: "wait", arguments: { key } } },
  }));
  const response = await fetch(`${gateway.url}/mcp/slow`, { method: "POST", headers, body: JSON.stringify(calls) });
  let text = "";
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    text += Buffer.from(chunk).toString();
    if (comments(text) === 1) for (const key of ["one", "two"]) go(key);
  }
  const [, data] = /\ndata: (.*)\n\n$/.exec(text) ?? [];
  expect(JSON.parse(data ?? "null")).toEqual([0, 1].map((id) => ({ jsonrpc: "2.0", id, result: done })));
});

test.concurrent.each(["2025-11-25", "2026-07-28"])(
  "a client of %s that takes events alone gets each answer as one event",
  async (era) => {
    const key = `events of ${era}`;
    const modern = era === "2026-07-28";
    const accept = "text/event-stream";
    const opened = await openSession(accept);
    expect(opened["mcp-session-id"]).not.toBe("undefined");
    const params = { name: "wait", arguments: { key }, ...(modern ? { _meta: envelope } : {}) };
    const answering = post(
      { id: 2, method: "tools/call", params },
      modern ? { ...stateless, accept } : { ...opened, accept },
    );
    await called(key);
    go(key);
    const { type, text } = await answering;
    const [, data] = /^event: message\n(?:id: .*\n)?data: (.*)\n\n$/.exec(text) ?? [];
    expect([type, JSON.parse(data ?? "null")]).toEqual([
      "text/event-stream",
      { jsonrpc: "2.0", id: 2, result: modern ? expect.objectContaining(done) : done },
    ]);
  },
);

test.concurrent("an HTTP+SSE client that opens no session hears comments too", async () => {
  const response = await fetch(`${gateway.url}/sse/slow`, { headers: { accept: "text/event-stream" } });
  let text = "";
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    text += Buffer.from(chunk).toString();
    if (comments(text) === 1) break;
  }
  expect(text).toMatch(/^event: endpoint\ndata: \/messages\/slow\?sessionId=\S+\n\n: keep-alive\n\n$/);
});
