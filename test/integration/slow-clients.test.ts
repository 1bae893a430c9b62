import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { request } from "undici";
import { TestGateway } from "../support/gateway.ts";
import { Listening } from "../support/listening.ts";

// A server pours 64 MB of progress into one call of a client that does not read.
const total = 1000;
const key = "io.modelcontextprotocol";
let server: Listening;
let gateway: TestGateway;
let socket: Socket;

beforeEach(async () => {
  server = await Listening.start(join(import.meta.dirname, "../fixtures/pouring-server.ts"));
  gateway = await TestGateway.start({
    gateway: { listeners: { tcp: { port: 0, server: "pouring" } } },
    servers: {
      pouring: { type: "custom", isolation: "shared", endpoints: [`http://127.0.0.1:${server.port}/mcp`] },
    },
  });
});
afterEach(async () => {
  socket.destroy();
  await gateway.close();
  await server.stop();
});

const poured = async () => Number(await (await request(`http://127.0.0.1:${server.port}/poured`)).body.text());

/** How far the server has come when it comes no further. */
async function standstill(): Promise<number> {
  let [before, now] = [-1, await poured()];
  for (let same = 0; same < 10; same = before === now && now > 0 ? same + 1 : 0) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    [before, now] = [now, await poured()];
  }
  return now;
}

const envelope = { [`${key}/protocolVersion`]: "2026-07-28", [`${key}/clientCapabilities`]: {} };
const call = (meta: object) =>
  JSON.stringify({
    ...{ jsonrpc: "2.0", id: 1, method: "tools/call" },
    params: { name: "pour", arguments: {}, _meta: { progressToken: "t", ...meta } },
  });

async function session(): Promise<string> {
  const params = { protocolVersion: "2025-11-25", capabilities: {} };
  const { headers, body } = await request(`${gateway.url}/mcp/pouring`, {
    ...{ method: "POST", headers: { "content-type": "application/json", accept: "application/json" } },
    body: JSON.stringify({ jsonrpc: "2.0", id: 0, method: "initialize", params }),
  });
  await body.dump();
  return `Mcp-Session-Id: ${headers["mcp-session-id"]}`;
}

/** A connection on which nothing is read. */
async function silent(port: number, bytes: string): Promise<void> {
  socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  socket.pause();
  socket.write(bytes);
}

const http = (headers: string, body: string) =>
  `POST /mcp/pouring HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n` +
  `Accept: application/json, text/event-stream\r\n${headers}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

const clients: Record<string, () => Promise<void>> = {
  "of the session era over HTTP": async () =>
    silent(Number(new URL(gateway.url).port), http(await session(), call({}))),
  "of the stateless era over HTTP": () => {
    const headers = "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: pour";
    return silent(Number(new URL(gateway.url).port), http(headers, call(envelope)));
  },
  "over TCP": () => silent(gateway.gateway.tcpPort as number, `${call(envelope)}\n`),
};

test.each(Object.keys(clients))(
  "a client %s that does not read holds its server back, loses nothing, and others are served",
  async (name) => {
    await (clients[name] as () => Promise<void>)();
    const held = await standstill();
    // Both sockets' buffers and what the gateway keeps of one stream; most of it is still with the server.
    expect([held > 0, held < total / 2]).toEqual([true, true]);
    const other = await gateway.connect("/mcp/pouring");
    expect((await other.listTools()).tools).toHaveLength(1);
    let received = "";
    let seen = 0;
    socket.on("data", (chunk) => {
      received += chunk.toString("latin1").replaceAll("x", "");
      const parts = received.split('"progress":');
      received = (parts.pop() as string).slice(-1000);
      seen += parts.length;
    });
    socket.resume();
    for (let tries = 0; !received.includes('"result"') && tries < 1500; tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect([seen, await poured()]).toEqual([total, total]);
  },
);
