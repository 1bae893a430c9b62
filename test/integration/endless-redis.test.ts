import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import pino from "pino";
import { Redis } from "../../runtime/performance/redis.ts";
import { RedisServer } from "../support/redis-server.ts";

// Between a gateway and a real Redis somebody who can answer without end.
const mega = 1024 * 1024;
let real: RedisServer;
let between: Server;
let redis: Redis;
/** What is sent in place of the answer to MGET, or with no command at all. */
let endless = false;
let sent = 0;
const sockets = new Set<Socket>();
const lines: string[] = [];
let onCut: () => void;
let cut: Promise<void>;

/** Sends the beginning of a bulk string, and then as much as is taken. */
function pour(socket: Socket): void {
  socket.write("$1000000000000\r\n");
  const chunk = Buffer.alloc(mega, "x");
  const more = () => {
    while (!socket.destroyed && socket.write(chunk)) sent += mega;
    sent += mega;
  };
  socket.on("drain", more);
  socket.on("close", () => onCut());
  more();
}

beforeEach(async () => {
  real = await RedisServer.start();
  endless = false;
  sent = 0;
  lines.length = 0;
  ({ promise: cut, resolve: onCut } = Promise.withResolvers<void>());
  between = createServer((socket) => {
    const onward = connect(real.port, "127.0.0.1");
    for (const one of [socket, onward]) sockets.add(one.on("error", () => {}));
    onward.pipe(socket);
    socket.on("close", () => onward.destroy());
    socket.on("data", (bytes) => {
      if (endless && String(bytes).includes("MGET")) pour(socket);
      else onward.write(bytes);
    });
  });
  await once(between.listen(0, "127.0.0.1"), "listening");
  const log = pino({ level: "warn" }, { write: (line: string) => void lines.push(JSON.parse(line).msg) });
  const url = `redis://127.0.0.1:${(between.address() as AddressInfo).port}`;
  redis = await Redis.open({ role: "answers", url, log, now: () => performance.now() });
  await ready();
});
afterEach(async () => {
  await redis.close();
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  await new Promise((resolve) => between.close(resolve));
  await real.stop();
});

async function ready(): Promise<void> {
  while (!redis.ready) await new Promise((resolve) => setImmediate(resolve));
}

test("a Redis whose answer never ends loses its connection, and is used again later", async () => {
  await redis.send(["SET", "a", "1"]);
  endless = true;
  await expect(redis.send(["MGET", "a"])).rejects.toThrow();
  await cut;
  expect(sent).toBeLessThan(128 * mega);
  expect(redis.ready).toBe(false);
  expect(lines.filter((line) => /bytes without the end of an answer/.test(line)).length).toBe(1);
  endless = false;
  await ready();
  expect(await redis.send(["MGET", "a"])).toEqual(["1"]);
});

test("a Redis that pours without being asked loses its connection too", async () => {
  const [first] = sockets;
  pour(first as Socket);
  await cut;
  expect(sent).toBeLessThan(128 * mega);
  await ready();
  expect(await redis.send(["SET", "a", "1"])).toBe("OK");
});

test("many large answers one after the other are answers", async () => {
  await redis.send(["SET", "a", "x".repeat(8 * mega)]).catch(() => {});
  await ready();
  for (let count = 0; count < 12; count += 1) {
    await redis.send(["MGET", "a"]).catch(() => {});
    await ready();
  }
  expect(lines).toEqual([]);
});
