import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer, type Server } from "node:net";
import { afterEach, expect, test } from "@jest/globals";
import { WebSocketServer } from "ws";
import { TestGateway } from "../support/gateway.ts";
import { RawClient } from "../support/raw-client.ts";

// A server with a connection for each session that sends every answer on all of them, twice, and only when both callers wait.
interface Rpc {
  readonly id?: number;
  readonly method: string;
  readonly params?: { readonly arguments?: { readonly say?: string } };
}

const results: Record<string, object> = {
  initialize: { protocolVersion: "2025-11-25", capabilities: { tools: {} }, serverInfo: { name: "s", version: "1" } },
  "tools/list": { tools: [{ name: "say", inputSchema: { type: "object" } }] },
};
const sinks = new Set<(line: string) => void>();
let held: string[] = [];

function take(text: string, answer: (line: string) => void): void {
  const { id, method, params } = JSON.parse(text) as Rpc;
  if (id === undefined) return;
  if (method !== "tools/call") {
    const outcome = method in results ? { result: results[method] } : { error: { code: -32601, message: "no" } };
    answer(JSON.stringify({ jsonrpc: "2.0", id, ...outcome }));
    return;
  }
  const content = [{ type: "text", text: `own ${params?.arguments?.say}` }];
  held.push(JSON.stringify({ jsonrpc: "2.0", id, result: { content } }));
  if (held.length < 2) return;
  const lines = [...held, ...held];
  held = [];
  for (const line of lines) for (const sink of sinks) sink(line);
}

async function tcp(): Promise<{ url: string; close: () => void }> {
  const sockets = new Set<{ destroy(): void }>();
  const server: Server = createServer((socket) => {
    let text = "";
    const sink = (line: string) => void socket.write(`${line}\n`);
    sinks.add(sink);
    sockets.add(socket);
    socket.on("close", () => sinks.delete(sink)).on("error", () => {});
    socket.on("data", (bytes) => {
      const lines = `${text}${bytes}`.split("\n");
      text = lines.pop() as string;
      for (const line of lines) take(line, sink);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return { url: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`, close };
}

async function webSocket(): Promise<{ url: string; close: () => void }> {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  server.on("connection", (socket) => {
    const sink = (line: string) => socket.send(line);
    sinks.add(sink);
    socket.on("close", () => sinks.delete(sink)).on("message", (data) => take(String(data), sink));
  });
  await once(server, "listening");
  const close = () => {
    for (const client of server.clients) client.terminate();
    server.close();
  };
  return { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`, close };
}

let gateway: TestGateway;
let close: () => void;
afterEach(async () => {
  await gateway.close();
  close();
});

test.each([
  ["TCP", tcp],
  ["WebSocket", webSocket],
])("a server over %s that sends each answer to all sessions: each caller gets its own", async (_transport, serve) => {
  const served = await serve();
  close = served.close;
  gateway = await TestGateway.start({
    servers: { loud: { type: "custom", isolation: "session", endpoints: [served.url] } },
  });
  const clients = await Promise.all(["alice", "bob"].map(() => RawClient.open(`${gateway.url}/mcp/loud`)));
  for (let round = 0; round < 20; round += 1) {
    const said = await Promise.all(clients.map((client, at) => client.call("say", { say: `${at} ${round}` })));
    expect(said.map((text) => JSON.parse(text).result)).toEqual(
      [0, 1].map((at) => ({ content: [{ type: "text", text: `own ${at} ${round}` }] })),
    );
  }
});
