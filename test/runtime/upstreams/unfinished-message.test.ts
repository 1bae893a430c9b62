import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer, type Server } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import { WebSocketServer } from "ws";
import type { DuplexLink } from "../../../runtime/upstreams/duplex-connector.ts";
import { EventReader } from "../../../runtime/upstreams/event-reader.ts";
import { LineReader } from "../../../runtime/upstreams/line-reader.ts";
import { openSse } from "../../../runtime/upstreams/sse-link.ts";
import { openTcp } from "../../../runtime/upstreams/tcp-link.ts";
import { messageUnfinished, silentMs } from "../../../runtime/upstreams/unfinished-message.ts";
import { openWebSocket } from "../../../runtime/upstreams/web-socket-link.ts";

const half = Buffer.alloc(2 * 1024 * 1024, "x");

beforeEach(() => {
  void jest.useFakeTimers({
    doNotFake: ["setImmediate", "clearImmediate", "setTimeout", "clearTimeout", "nextTick", "queueMicrotask", "Date"],
  });
});
afterEach(() => void jest.useRealTimers());

/** A reader of each kind, what it has said, and how its messages are put. */
const readers = {
  line: (said: unknown[]) =>
    Object.assign(
      new LineReader(
        (line) => said.push(line.length),
        (problem) => said.push(problem),
      ),
      { begin: "", end: "\n" },
    ),
  event: (said: unknown[]) =>
    Object.assign(
      new EventReader({ onEvent: ({ data }) => said.push(data.length), onBroken: (problem) => said.push(problem) }),
      { begin: "data:", end: "\n\n" },
    ),
} as const;
type Kind = keyof typeof readers;
const kinds = Object.keys(readers) as Kind[];

test.each(kinds)("a large %s that stops in the middle is given up", (kind) => {
  const said: unknown[] = [];
  const reader = readers[kind](said);
  reader.push(Buffer.from(reader.begin));
  reader.push(half);
  jest.advanceTimersByTime(silentMs);
  expect(said).toEqual([]);
  jest.advanceTimersByTime(silentMs);
  expect(said).toEqual([expect.stringMatching(/^the server has stopped in the middle of a message, after \d+ bytes/)]);
  expect(jest.getTimerCount()).toBe(0);
});

test.each(kinds)("a large %s that goes on slowly is waited for", (kind) => {
  const said: unknown[] = [];
  const reader = readers[kind](said);
  reader.push(Buffer.from(reader.begin));
  reader.push(half);
  for (let piece = 0; piece < 10; piece += 1) {
    jest.advanceTimersByTime(silentMs);
    reader.push(Buffer.from("y"));
  }
  reader.push(Buffer.from(reader.end));
  expect(said).toEqual([half.length + 10]);
  expect(jest.getTimerCount()).toBe(0);
});

test.each(kinds)("a small %s may stay unfinished, and a closed reader watches nothing", (kind) => {
  const said: unknown[] = [];
  const reader = readers[kind](said);
  reader.push(Buffer.from(`${reader.begin}x`));
  expect(jest.getTimerCount()).toBe(0);
  reader.push(half);
  expect(jest.getTimerCount()).toBe(1);
  reader.close();
  expect(jest.getTimerCount()).toBe(0);
  expect(said).toEqual([]);
});

/** Servers that send half a message, and how they are reached. */
const servers: Record<string, () => Promise<{ server: Pick<Server, "close">; open(): Promise<DuplexLink> }>> = {
  async TCP() {
    const server = createServer((socket) => void socket.on("error", () => {}).write(half));
    return { server, open: async () => openTcp(await at(server, "tcp"), 5000, () => {}) };
  },
  async WebSocket() {
    const server = createHttpServer();
    new WebSocketServer({ server }).on("connection", (socket) => socket.send(half.toString(), { fin: false }));
    return { server, open: async () => openWebSocket(await at(server, "ws"), 5000, () => {}) };
  },
  async "HTTP+SSE"() {
    const server = createHttpServer((_request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" }).write("event: endpoint\ndata: /messages\n\n");
      response.write("data: ");
      response.write(half);
    });
    return { server, open: async () => openSse(await at(server, "http"), 5000, () => {}) };
  },
};

async function at(server: Server, scheme: string): Promise<URL> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return new URL(`${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}/`);
}

test.each(Object.keys(servers))(
  "a connection over %s whose server stops in the middle of a message is closed",
  async (name) => {
    const { server, open } = await (servers[name] as NonNullable<(typeof servers)[string]>)();
    const link = await open();
    let reason: string | undefined;
    void Promise.resolve(link.ended).then((why) => {
      reason = String(why);
    });
    while (reason === undefined) {
      // What is on its way arrives before the time goes on.
      for (let round = 0; round < 50; round += 1) await turn();
      jest.advanceTimersByTime(silentMs);
    }
    const [, bytes] = / after (\d+) bytes/.exec(reason) ?? [];
    expect(reason).toBe(messageUnfinished(Number(bytes)));
    expect(Number(bytes)).toBeGreaterThanOrEqual(1024 * 1024);
    server.close();
  },
);
