import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import type { Server } from "../../runtime/config/schema/index.ts";
import { minimalEnvironment } from "../../runtime/orchestrator/server-environment.ts";
import { outgoingFetch } from "../../runtime/outgoing/outgoing-fetch.ts";
import { issuerFetch } from "../../runtime/security/issuer-fetch.ts";
import { GuardedFetch } from "../../runtime/upstreams/credentials/guarded-fetch.ts";
import { Certificates } from "../support/certificates.ts";
import { ConnectProxy } from "../support/connect-proxy.ts";
import { say, statefulServer, TestGateway } from "../support/gateway.ts";
import { TlsFront } from "../support/tls-front.ts";

// A server whose name only the proxy knows, as behind a company's firewall.
const host = "mcp.corp.example";
const names = ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"];
const before = Object.fromEntries(names.map((name) => [name, process.env[name]]));
const basic = `Basic ${Buffer.from("me:pass word").toString("base64")}`;
let certificates: Certificates;
let client: { readonly cert: string; readonly key: string };
let behind: TestGateway;
let front: TlsFront;
let proxy: ConnectProxy;
let it: TestGateway | undefined;

const clear = () => {
  for (const name of names) delete process.env[name];
};
beforeAll(async () => {
  certificates = new Certificates();
  client = certificates.sign("client", "gateway");
  behind = await TestGateway.start({
    gateway: { allowedHosts: [host] },
    servers: { notes: statefulServer({ isolation: "shared" }) },
  });
  const port = Number(new URL(behind.url).port);
  front = await TlsFront.start(certificates, "server", port, `,DNS:${host}`);
});
beforeEach(async () => {
  const port = Number(new URL(behind.url).port);
  proxy = await ConnectProxy.start({ [`${host}:80`]: port, [`${host}:443`]: front.port }, "me:pass word");
  clear();
  process.env.HTTP_PROXY = `http://me:pass%20word@127.0.0.1:${proxy.port}`;
  process.env.https_proxy = process.env.HTTP_PROXY;
});
afterEach(async () => {
  await it?.close();
  it = undefined;
  await proxy.close();
});
afterAll(async () => {
  clear();
  for (const [name, value] of Object.entries(before)) if (value !== undefined) process.env[name] = value;
  await behind.close();
  await front.close();
  certificates.close();
});

const start = async (server: Partial<Server>) => {
  it = await TestGateway.start({ servers: { notes: { type: "custom", isolation: "shared", ...server } } });
  return it.connect("/mcp/notes");
};
const tls = () => ({ caFile: certificates.ca, certFile: client.cert, keyFile: client.key });

test.each<[string, string, string, Partial<Server>]>([
  ["Streamable HTTP", "http", "/mcp/notes", {}],
  ["HTTP+SSE", "http", "/sse/notes", { protocol: "sse" }],
  ["WebSocket", "ws", "/ws/notes", {}],
])("%s: a server is reached through HTTP_PROXY, with its credentials", async (_name, scheme, path, server) => {
  const notes = await start({ ...server, endpoints: [`${scheme}://${host}${path}`] });
  expect(await say(notes, "count")).toMatchObject({ count: expect.any(Number) });
  expect([...new Set(proxy.asked.map(String))]).toEqual([`${host}:80,${basic}`]);
});

test.each<[string, string, string, Partial<Server>]>([
  ["Streamable HTTP", "https", "/mcp/notes", {}],
  ["HTTP+SSE", "https", "/sse/notes", { protocol: "sse" }],
  ["WebSocket", "wss", "/ws/notes", {}],
  ["batches", "https", "/mcp/notes", { batching: {} }],
])(
  "%s: HTTPS_PROXY carries TLS from end to end, with the client's certificate",
  async (_name, scheme, path, server) => {
    const seen = front.seen.length;
    const notes = await start({ ...server, endpoints: [`${scheme}://${host}${path}`], tls: tls() });
    expect(await say(notes, "count")).toMatchObject({ count: expect.any(Number) });
    expect([...new Set(proxy.asked.map(String))]).toEqual([`${host}:443,${basic}`]);
    expect(front.seen[seen]).toEqual(["gateway", host]);
  },
);

test("a refusal of the proxy is named, without the password", async () => {
  process.env.HTTP_PROXY = `http://me:wrong-secret@127.0.0.1:${proxy.port}`;
  const failure = await start({ endpoints: [`http://${host}/mcp/notes`] }).catch((error: Error) => error.message);
  expect(failure).toContain(
    `the proxy 127.0.0.1:${proxy.port} answered HTTP 407 to CONNECT ${host}:80; give user:password@ in the proxy's URL`,
  );
  expect(failure).not.toContain("secret");
});

test("a variable that is no proxy's URL is named, over every transport", async () => {
  process.env.HTTP_PROXY = "socks5://me:secret@proxy.corp:1080";
  for (const endpoint of [`http://${host}/mcp/notes`, `ws://${host}/ws/notes`]) {
    const failure = await start({ endpoints: [endpoint] }).catch((error: Error) => error.message);
    expect(failure).toContain("HTTP_PROXY: is no URL of an HTTP proxy; give it as http://host:port");
    expect(failure).not.toContain("secret");
    await it?.close();
    it = undefined;
  }
});

test("loopback is never behind a proxy, and NO_PROXY takes a host out", async () => {
  const notes = await start({ endpoints: [`${behind.url}/mcp/notes`] });
  expect(await say(notes, "count")).toMatchObject({ count: expect.any(Number) });
  await it?.close();
  process.env.NO_PROXY = ".corp.example";
  const failure = await start({ endpoints: [`http://${host}/mcp/notes`] }).catch((error: Error) => error.message);
  expect(failure).toContain("getaddrinfo");
  expect(proxy.asked).toEqual([]);
});

test("key sets, token endpoints and checks of health go through the proxy too", async () => {
  const site = createServer((_request, response) => response.end('{"keys":[]}'));
  await new Promise<void>((resolve) => site.listen(0, "127.0.0.1", resolve));
  const keys = await ConnectProxy.start({ "keys.corp.example:80": (site.address() as AddressInfo).port });
  process.env.HTTP_PROXY = `http://127.0.0.1:${keys.port}`;
  const url = "http://keys.corp.example/jwks";
  const { fetch: guarded } = new GuardedFetch(["keys.corp.example"]);
  const answers = await Promise.all([issuerFetch(url, {}), outgoingFetch(url), guarded(url)]);
  expect(await Promise.all(answers.map((answer) => answer.json()))).toEqual([{ keys: [] }, { keys: [] }, { keys: [] }]);
  expect([...new Set(keys.asked.map(([target]) => target))]).toEqual(["keys.corp.example:80"]);
  await keys.close();
  site.closeAllConnections();
  site.close();
});

test("servers with a network get each variable in both cases, others get none", () => {
  const { HTTP_PROXY } = process.env;
  process.env.NO_PROXY = "corp.example";
  expect(minimalEnvironment(true)).toMatchObject({
    ...{ HTTP_PROXY, http_proxy: HTTP_PROXY, HTTPS_PROXY: HTTP_PROXY, https_proxy: HTTP_PROXY },
    ...{ NO_PROXY: "corp.example", no_proxy: "corp.example" },
  });
  expect(Object.keys(minimalEnvironment(false)).filter((name) => /proxy/i.test(name))).toEqual([]);
});
