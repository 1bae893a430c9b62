import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { afterEach, expect, test } from "@jest/globals";
import pino from "pino";
import { resolveConfig } from "../../../runtime/config/index.ts";
import { openSharedStores } from "../../../runtime/performance/shared-stores.ts";

let servers: Server[] = [];
const sockets = new Set<Socket>();
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  for (const server of servers) server.close();
  servers = [];
});

/** Something that a client of Redis connects to; its address. */
async function listen(onConnection: () => void): Promise<string> {
  const server = createServer((socket) => {
    sockets.add(socket.on("error", () => {}));
    onConnection();
  });
  servers.push(server);
  await once(server.listen(0, "127.0.0.1"), "listening");
  return `redis://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("kept answers have a Redis of their own where one is configured", async () => {
  const connected: string[] = [];
  const redis = await listen(() => connected.push("counts"));
  const cacheRedis = await listen(() => connected.push("answers"));
  const { gateway } = resolveConfig({ gateway: { shared: { redis, cacheRedis } }, servers: {} });
  const keys = [{ id: "one", key: randomBytes(32) }];
  const stores = await openSharedStores(gateway, { keys, log: pino({ level: "silent" }), now: () => 0 });
  while (connected.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(connected.sort()).toEqual(["answers", "counts"]);
  for (const socket of sockets) socket.destroy();
  await stores?.close();
});
