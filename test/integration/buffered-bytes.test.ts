import { once } from "node:events";
import { createServer, type Server as HttpServer } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { json } from "node:stream/consumers";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { pino } from "pino";
import { request } from "undici";
import { WebSocket } from "ws";
import { TestGateway } from "../support/gateway.ts";

// Many clients that each stay within their own bound: together they must not take more than the process allows them.
const mega = 1024 * 1024;
const maxBufferedBytes = 8 * mega;
let upstream: HttpServer;
let gateway: TestGateway;
/** Answers calls that wait. */
let release: () => void;
let released: Promise<void>;
const sockets: Socket[] = [];
const ended: string[] = [];
let onEnded: () => void = () => {};

beforeAll(async () => {
  upstream = createServer(async (asked, answer) => {
    if (asked.method !== "POST") {
      answer.writeHead(405).end();
      return;
    }
    const { id, method, params } = (await json(asked)) as { id?: number; method: string; params?: { name?: string } };
    if (id === undefined) {
      answer.writeHead(202).end();
      return;
    }
    if (params?.name === "wait") await released;
    const results: Record<string, object> = {
      initialize: {
        protocolVersion: "2025-11-25",
        capabilities: { tools: {} },
        serverInfo: { name: "big", version: "1.0.0" },
      },
      "tools/list": { tools: ["wait", "big"].map((name) => ({ name, inputSchema: { type: "object" } })) },
      "tools/call": { content: [{ type: "text", text: params?.name === "big" ? "x".repeat(24 * mega) : "" }] },
    };
    const result = results[method] ?? {};
    answer.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ jsonrpc: "2.0", id, result }));
  });
  await once(upstream.listen(0, "127.0.0.1"), "listening");
});
afterAll(async () => {
  upstream.closeAllConnections();
  await new Promise((resolve) => upstream.close(resolve));
});
beforeEach(async () => {
  const waiting = Promise.withResolvers<void>();
  released = waiting.promise;
  release = waiting.resolve;
  ended.length = 0;
  const write = (line: string) => {
    const { msg, of } = JSON.parse(line);
    if (!msg.startsWith("ended the largest holder")) return;
    ended.push(of);
    onEnded();
  };
  gateway = await TestGateway.start(
    {
      gateway: { connections: { maxBufferedBytes }, listeners: { tcp: { port: 0, server: "big" } } },
      servers: {
        big: {
          type: "custom",
          isolation: "shared",
          endpoints: [`http://127.0.0.1:${(upstream.address() as AddressInfo).port}/mcp`],
        },
      },
    },
    { log: { log: pino({ level: "warn" }, { write }), write: () => {}, close: async () => {} } },
  );
});
afterEach(async () => {
  release();
  for (const socket of sockets.splice(0)) socket.destroy();
  await gateway.close();
});

async function open(port = Number(new URL(gateway.url).port)): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  sockets.push(socket);
  socket.on("error", () => {});
  await once(socket, "connect");
  return socket;
}
const manyEnded = (count: number) =>
  new Promise<void>((resolve) => {
    onEnded = () => {
      if (ended.length >= count) resolve();
    };
    onEnded();
  });
const key = "io.modelcontextprotocol";
const _meta = { [`${key}/protocolVersion`]: "2026-07-28", [`${key}/clientCapabilities`]: {} };
const callOf = (name: string, more: object = {}, id = 1) =>
  JSON.stringify({ jsonrpc: "2.0", id, method: "tools/call", params: { name, arguments: more, _meta } });
const head = (name: string, length: number) =>
  `POST /mcp/big HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAccept: application/json\r\nMCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: ${name}\r\nContent-Length: ${length}\r\n\r\n`;
const used = async () => {
  const page = await (await request(`${gateway.url}/metrics`)).body.text();
  return Number(/^mcp_bound_utilization\{bound="buffered_bytes".*\} (.+)$/m.exec(page)?.[1]);
};
async function freed(): Promise<void> {
  for (const socket of sockets.splice(0)) socket.destroy();
  while ((await used()) > 0) await new Promise((resolve) => setImmediate(resolve));
}

test("of many clients that do not finish their bodies some are told to come back, and small calls are served", async () => {
  const refused: Promise<string>[] = [];
  for (let count = 0; count < 12; count += 1) {
    const socket = await open();
    refused.push(once(socket, "data").then(([bytes]) => String(bytes)));
    socket.write(head("wait", 3 * mega));
    socket.write(Buffer.alloc(mega, "x"));
  }
  await manyEnded(4);
  const [first = ""] = await Promise.race(refused.map((one) => one.then((said) => [said])));
  expect(first).toMatch(/^HTTP\/1\.1 503 /);
  expect(JSON.parse(first.split("\r\n\r\n")[1] as string).error).toEqual({
    code: -31031,
    message: `the gateway holds as many bytes for its clients as gateway.connections.maxBufferedBytes allows (${maxBufferedBytes}); send again later, or less at a time`,
    data: { code: "OVERLOADED", retryable: true },
  });
  expect(await used()).toBeLessThanOrEqual(1);
  expect(new Set(ended)).toEqual(new Set(["messages"]));
  const answer = await open();
  const call = callOf("none");
  answer.write(head("none", call.length) + call);
  expect(String((await once(answer, "data"))[0])).toMatch(/^HTTP\/1\.1 200 /);
  await freed();
});

test("of many bodies over REST that are not finished some connections are closed", async () => {
  for (let count = 0; count < 12; count += 1) {
    const socket = await open();
    socket.write(
      `POST /api/v1/servers/big/requests HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${3 * mega}\r\n\r\n`,
    );
    socket.write(Buffer.alloc(mega, "x"));
  }
  await manyEnded(4);
  expect(await used()).toBeLessThanOrEqual(1);
  await freed();
});

test("large calls in flight over HTTP are kept, and the next large ones are refused until they have ended", async () => {
  const call = callOf("wait", { a: "x".repeat(1.5 * mega) });
  const answers: Promise<string>[] = [];
  for (let count = 0; count < 6; count += 1) {
    const socket = await open();
    answers.push(once(socket, "data").then(([bytes]) => String(bytes)));
    socket.write(head("wait", call.length) + call);
    while (count < 5 && (await used()) < ((count + 1) * call.length) / maxBufferedBytes);
  }
  await manyEnded(1);
  release();
  const statuses = (await Promise.all(answers)).map((said) => said.slice(9, 12)).sort();
  expect(statuses).toEqual(["200", "200", "200", "200", "200", "503"]);
  await freed();
});

test.each(["/mcp/big", "/api/v1/servers/big/tools/big"])(
  "of many clients that do not read their answers from %s some are cut",
  async (path) => {
    for (let count = 0; count < 3; count += 1) {
      const socket = await open();
      socket.pause();
      const call = path === "/mcp/big" ? callOf("big") : "{}";
      socket.write(head("big", call.length).replace("/mcp/big", path) + call);
    }
    await manyEnded(1);
    expect(new Set(ended)).toEqual(new Set(["answers"]));
    expect(await used()).toBeLessThanOrEqual(1);
    await freed();
  },
);

async function webSocket(): Promise<WebSocket> {
  const socket = new WebSocket(`${gateway.url.replace("http", "ws")}/ws/big`);
  await once(socket, "open");
  sockets.push({ destroy: () => socket.terminate() } as unknown as Socket);
  socket.on("error", () => {});
  return socket;
}

test("of many WebSockets with large calls in flight some are closed, and the others are answered", async () => {
  const outcomes: Promise<string>[] = [];
  for (let count = 0; count < 10; count += 1) {
    const socket = await webSocket();
    outcomes.push(
      Promise.race([once(socket, "message").then(() => "answered"), once(socket, "close").then(() => "closed")]),
    );
    socket.send(callOf("wait", { a: "x".repeat(mega) }));
  }
  await manyEnded(2);
  release();
  const all = await Promise.all(outcomes);
  expect([all.filter((one) => one === "closed").length, new Set(ended)]).toEqual([
    ended.length,
    new Set(ended.includes("messages") ? ["calls", "messages"] : ["calls"]),
  ]);
  expect(all.filter((one) => one === "answered").length).toBe(10 - ended.length);
  await freed();
});

test("of many WebSockets with messages that do not end some are closed", async () => {
  const closed: Promise<unknown>[] = [];
  for (let count = 0; count < 12; count += 1) {
    const socket = await webSocket();
    closed.push(once(socket, "close"));
    socket.send("x".repeat(mega), { fin: false });
  }
  await Promise.race(closed);
  expect(new Set(ended)).toEqual(new Set(["messages"]));
  await freed();
});

test("of many TCP connections with lines that do not end some are closed", async () => {
  const closed: Promise<unknown>[] = [];
  for (let count = 0; count < 12; count += 1) {
    const socket = await open(gateway.gateway.tcpPort as number);
    closed.push(once(socket.resume(), "close"));
    socket.write(`{"a":"${"x".repeat(mega)}`);
  }
  await Promise.race(closed);
  expect(new Set(ended)).toEqual(new Set(["messages"]));
  await freed();
});

test("of many TCP connections that do not read their answers some are cut", async () => {
  for (let count = 0; count < 3; count += 1) {
    const socket = await open(gateway.gateway.tcpPort as number);
    socket.pause();
    socket.write(`${callOf("big")}\n`);
  }
  await manyEnded(1);
  expect(new Set(ended)).toEqual(new Set(["answers"]));
  await freed();
});
