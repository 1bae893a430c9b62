import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { request } from "undici";
import { WebSocket } from "ws";
import { resolveConfig } from "../../runtime/config/index.ts";
import type { ConfigFile } from "../../runtime/config/schema/index.ts";
import { statefulServer, TestGateway } from "../support/gateway.ts";

const people = ["alice", "bob"].map((name) => ({ name, token: `${name}-at-the-gateway` }));
const fileFor = (bearerTokens: typeof people, more: ConfigFile["gateway"] = {}): ConfigFile => ({
  gateway: {
    port: 0,
    drainMs: 100,
    log: { level: "silent" },
    auth: { bearerTokens },
    listeners: { tcp: { port: 0 } },
    ...more,
  },
  servers: { notes: statefulServer() },
});
let it: TestGateway;
const closing: (() => void)[] = [];
beforeEach(async () => {
  it = await TestGateway.start(fileFor(people));
});
afterEach(async () => {
  for (const close of closing.splice(0)) close();
  await it.close();
});

const post = (headers: Record<string, string>, message: object) =>
  request(`${it.url}/mcp/notes`, {
    method: "POST",
    headers: { ...headers, "content-type": "application/json", accept: "application/json, text/event-stream" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, ...message }),
  });

/** All that a caller can keep open. */
async function open(name: string) {
  const headers = { authorization: `Bearer ${name}-at-the-gateway` };
  const streamAt = async (path: string, more: Record<string, string> = {}) => {
    const [stream] = await once(get(`${it.url}${path}`, { headers: { ...headers, ...more } }), "response");
    return (stream as IncomingMessage).resume();
  };
  const socket = new WebSocket(`${it.url.replace(/^http/, "ws")}/ws/notes`, "mcp", { headers });
  await once(socket, "open");
  const opened = await post(headers, {
    method: "initialize",
    params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo },
  });
  await opened.body.dump();
  const session = { accept: "text/event-stream", "mcp-session-id": String(opened.headers["mcp-session-id"]) };
  const _meta = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": clientInfo,
    "io.modelcontextprotocol/clientCapabilities": {},
  };
  const modern = { "mcp-protocol-version": "2026-07-28", "mcp-method": "subscriptions/listen" };
  const listening = await post(
    { ...headers, ...modern },
    { method: "subscriptions/listen", params: { notifications: { toolsListChanged: true }, _meta } },
  );
  const streams = [await streamAt("/sse/notes"), await streamAt("/mcp/notes", session), listening.body.resume()];
  return { socket, streams };
}

test("streams and connections end when their static token is removed, those of other tokens go on", async () => {
  const [removed, kept] = [await open("alice"), await open("bob")];
  const ended = Promise.all([once(removed.socket, "close"), ...removed.streams.map((stream) => once(stream, "end"))]);
  const next = resolveConfig(fileFor(people.slice(1)));
  await it.gateway.apply(next, []);
  const [[code]] = await ended;
  expect(code).toBe(1008);
  expect(kept.streams.map(({ readableEnded }) => readableEnded)).toEqual([false, false, false]);
  expect(kept.socket.readyState).toBe(WebSocket.OPEN);
}, 10_000);

test("a connection ends when its token belongs to somebody else", async () => {
  const { socket } = await open("alice");
  const ended = once(socket, "close");
  const [alice, bob] = people as [(typeof people)[0], (typeof people)[0]];
  const swapped = [
    { name: "alice", token: bob.token },
    { name: "bob", token: alice.token },
  ];
  await it.gateway.apply(resolveConfig(fileFor(swapped)), []);
  expect((await ended)[0]).toBe(1008);
}, 10_000);

const clientInfo = { name: "test", version: "1" };
interface Reply {
  readonly result?: object;
  readonly error?: { readonly data: { readonly code: string } };
}
/** Sends one line or frame. */
type Say = (message: string) => void;
const ways: Record<string, (heard: (message: string) => void) => Promise<Say>> = {
  WebSocket: async (heard) => {
    const { socket } = await open("alice");
    socket.on("message", (data) => heard(String(data)));
    return (message) => socket.send(message);
  },
  TCP: async (heard) => {
    const socket = connect(it.gateway.tcpPort as number, "127.0.0.1");
    closing.push(() => socket.destroy());
    createInterface(socket).on("line", heard);
    return (message) => socket.write(`${message}\n`);
  },
};

test.each([
  ["WebSocket", "count"],
  ["TCP", "notes__count"],
])(
  "rules that a reload brings hold on connections that were open before: %s",
  async (way, name) => {
    const asked = new Map<number, (reply: Reply) => void>();
    const say = await (ways[way] as (typeof ways)[string])((message) => {
      const reply = JSON.parse(message);
      asked.get(reply.id)?.(reply);
    });
    const ask = (id: number, method: string, params: object) =>
      new Promise<Reply>((resolve) => {
        asked.set(id, resolve);
        say(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
      });
    await ask(1, "initialize", { protocolVersion: "2025-11-25", capabilities: {}, clientInfo });
    const count = { name, arguments: {} };
    expect(await ask(2, "tools/call", count)).toHaveProperty("result");
    const rules = [{ effect: "deny" as const, tools: ["count"] }];
    await it.gateway.apply(resolveConfig(fileFor(people, { authorization: { default: "allow", rules } })), []);
    // Connections are looked at in a turn of their own.
    await new Promise(setImmediate);
    expect((await ask(3, "tools/call", count)).error?.data.code).toBe("FORBIDDEN");
  },
  10_000,
);
