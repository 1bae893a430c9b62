import { afterEach, beforeEach, expect, test } from "@jest/globals";
import pino from "pino";
import { type ResolvedServer, resolveConfig } from "../../../../runtime/config/index.ts";
import type { BackendSpec } from "../../../../runtime/registry/backend.ts";
import { DnsDiscovery } from "../../../../runtime/registry/discovery/dns.ts";
import { discoveriesOf } from "../../../../runtime/registry/discovery/index.ts";
import { NameServer } from "../../../support/name-server.ts";

let server: NameServer;
let discovery: DnsDiscovery | undefined;
beforeEach(async () => {
  server = await NameServer.start();
});
afterEach(async () => {
  await discovery?.close();
  await server.close();
});

/** Starts to look and gives what is found next. */
function look(options: { port?: number; scheme?: "http" | "tcp"; path?: string }) {
  const log = pino({ level: "silent" });
  discovery = new DnsDiscovery({
    ...{ name: "echo.test", resolver: server.address, refreshMs: 100, scheme: "http", log, ...options },
  });
  const heard: (readonly BackendSpec[])[] = [];
  discovery.start((found) => void heard.push(found));
  const next = async () => {
    for (let tries = 0; heard.length === 0 && tries < 800; tries += 1) await new Promise((go) => setTimeout(go, 5));
    return heard.shift();
  };
  return Object.assign(next, { heard: () => heard.length });
}

test("one instance for each address, again when they change, and not when only their order does", async () => {
  server.zone = { a: { "echo.test": ["10.0.0.2", "10.0.0.1"] } };
  const next = look({ port: 8080 });
  expect(await next()).toEqual([{ address: "http://10.0.0.1:8080/mcp" }, { address: "http://10.0.0.2:8080/mcp" }]);
  server.zone = { a: { "echo.test": ["10.0.0.1", "10.0.0.2"] } };
  const { queries } = server;
  for (let tries = 0; server.queries < queries + 6 && tries < 800; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  server.zone = { a: { "echo.test": ["10.0.0.3"] } };
  expect(await next()).toEqual([{ address: "http://10.0.0.3:8080/mcp" }]);
  server.zone = {};
  expect(await next()).toEqual([]);
});

test("SRV records say port and weight; only the best priority counts", async () => {
  const record = { priority: 1, weight: 10, port: 9001, target: "one.test" };
  server.zone = {
    srv: {
      "echo.test": [
        record,
        { ...record, weight: 0, port: 9002, target: "two.test" },
        { ...record, priority: 2, target: "spare.test" },
      ],
    },
    a: { "one.test": ["10.0.0.1"], "two.test": ["10.0.0.2"], "spare.test": ["10.0.0.9"] },
  };
  expect(await look({ scheme: "tcp" })()).toEqual([
    { address: "tcp://10.0.0.1:9001", weight: 10 },
    { address: "tcp://10.0.0.2:9002" },
  ]);
});

test("while the name server does not answer, what was found stays", async () => {
  server.zone = { a: { "echo.test": ["10.0.0.1"] } };
  const next = look({ port: 80, path: "/tools" });
  expect(await next()).toEqual([{ address: "http://10.0.0.1:80/tools" }]);
  await server.close();
  await new Promise((resolve) => setTimeout(resolve, 300));
  server = await NameServer.start();
  expect(next.heard()).toBe(0);
});

test.each([
  ["http", undefined, "http://10.0.0.1:8080/mcp"],
  ["http", { serverName: "mcp.internal" }, "https://10.0.0.1:8080/mcp"],
  ["ws", { serverName: "mcp.internal" }, "wss://10.0.0.1:8080/mcp"],
] as const)("instances over %s are reached over TLS when the server has it", async (protocol, tls, address) => {
  server.zone = { a: { "echo.test": ["10.0.0.1"] } };
  const dns = { name: "echo.test", resolver: server.address, refreshMs: 100, port: 8080 };
  const { servers } = resolveConfig({ servers: { echo: { type: "custom", discovery: { dns }, protocol, tls } } });
  const [found] = discoveriesOf(servers[0] as ResolvedServer, pino({ level: "silent" }));
  const first = await new Promise((resolve) => found?.start(resolve));
  await found?.close();
  expect(first).toEqual([{ address }]);
});
