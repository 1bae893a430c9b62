import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import type { Server } from "../../runtime/config/schema/index.ts";
import { AuthorizationServer } from "../support/authorization-server.ts";
import { Certificates } from "../support/certificates.ts";
import { say, statefulServer, TestGateway } from "../support/gateway.ts";
import { ProtectedServer } from "../support/protected-server.ts";
import { TlsFront } from "../support/tls-front.ts";

// Servers that demand a client certificate: TLS ends in front of a gateway whose server is a process, or of a plain server.
let certificates: Certificates;
let behind: TestGateway;
let client: { readonly cert: string; readonly key: string };
let front: TlsFront;
let it: TestGateway | undefined;
beforeAll(async () => {
  certificates = new Certificates();
  behind = await TestGateway.start({ servers: { notes: statefulServer({ isolation: "shared" }) } });
});
beforeEach(async () => {
  client = certificates.sign("client", "gateway one");
  front = await TlsFront.start(certificates, "server", Number(new URL(behind.url).port), ",DNS:notes.internal");
});
afterEach(async () => {
  await it?.close();
  it = undefined;
  await front.close();
});
afterAll(async () => {
  await behind.close();
  certificates.close();
});

const files = () => ({ caFile: certificates.ca, certFile: client.cert, keyFile: client.key });
const start = async (server: Partial<Server>, scheme = "https", path = "/mcp/notes") => {
  const endpoints = [`${scheme}://localhost:${front.port}${path}`];
  const notes: Server = { type: "custom", isolation: "shared", endpoints, ...server };
  it = await TestGateway.start({ servers: { notes } });
  return it.connect("/mcp/notes");
};
const clients = () => [...new Set(front.seen.map(([name]) => name))];

test.each<[string, string, string, Partial<Server>]>([
  ["Streamable HTTP", "https", "/mcp/notes", {}],
  ["HTTP+SSE", "https", "/sse/notes", { protocol: "sse" }],
  ["WebSocket", "wss", "/ws/notes", {}],
  ["batches", "https", "/mcp/notes", { batching: {} }],
])(
  "%s: the gateway shows its certificate, and believes the server's authority",
  async (_name, scheme, path, server) => {
    const notes = await start({ ...server, tls: files() }, scheme, path);
    expect(await say(notes, "count")).toMatchObject({ count: expect.any(Number) });
    expect(clients()).toEqual(["gateway one"]);
    expect(front.seen[0]).toEqual(["gateway one", "localhost"]);
  },
);

describe("what lacks is noticed", () => {
  test.each<[string, () => Partial<Server>, RegExp]>([
    ["no tls at all", () => ({}), /self-signed certificate in certificate chain/],
    [
      "no certificate of the gateway's",
      () => ({ tls: { caFile: certificates.ca } }),
      /alert certificate required|ECONNRESET|closed/,
    ],
    [
      "another authority",
      () => ({ tls: { certFile: client.cert, keyFile: client.key } }),
      /self-signed certificate in certificate chain/,
    ],
    [
      "another name",
      () => ({ tls: { ...files(), serverName: "other.internal" } }),
      /does not match certificate's altnames/,
    ],
    [
      "a file that is not there",
      () => ({ tls: { ...files(), certFile: "/nowhere/client.crt" } }),
      /servers\.notes\.tls\.certFile: \/nowhere\/client\.crt cannot be read/,
    ],
    [
      "another one's key",
      () => ({ tls: { ...files(), keyFile: certificates.sign("other", "other").key } }),
      /servers\.notes\.tls: .*key values mismatch.*; give a certificate and its own key in PEM/,
    ],
  ])("%s", async (_name, server, message) => {
    await expect(start({ ...server(), timeouts: { connectMs: 5000 } })).rejects.toThrow(message);
    expect(front.seen).toEqual([]);
  });
});

test("an instance that is known by its address is verified by its name", async () => {
  const endpoints = [`https://127.0.0.1:${front.port}/mcp/notes`];
  const notes = await start({ endpoints, tls: { ...files(), serverName: "notes.internal" } });
  await say(notes, "count");
  expect(front.seen[0]).toEqual(["gateway one", "notes.internal"]);
});

test("when the certificate ends is a metric, and so an alert", async () => {
  await start({ tls: files() });
  const ends = Date.parse(new X509Certificate(readFileSync(client.cert)).validTo) / 1000;
  const text = await (await fetch(`${it?.url}/metrics`)).text();
  expect(text).toContain(`\nmcp_certificate_expiry_seconds{listener="servers.notes"} ${ends}\n`);
});

test("what the server says of its tokens is asked for with the certificate, the token from its issuer without", async () => {
  const machine = { client_id: "gateway", client_secret: "a-secret-of-the-gateway", redirect_uris: [] };
  const authorization = await AuthorizationServer.start({
    clients: [{ ...machine, response_types: [], grant_types: ["client_credentials"] }],
  });
  const locked = await ProtectedServer.start(async (request) => {
    return request.headers.authorization === undefined
      ? { status: 401, challenge: `Bearer resource_metadata="${resource.replace("/mcp", metadata)}"` }
      : { who: "gateway" };
  });
  const metadata = "/.well-known/oauth-protected-resource/mcp";
  await front.close();
  front = await TlsFront.start(certificates, "server", Number(new URL(locked.url).port));
  const resource = `https://localhost:${front.port}/mcp`;
  locked.metadata = { resource, authorization_servers: [authorization.issuer], scopes_supported: ["read"] };
  try {
    const { issuer } = authorization;
    const { client_id: clientId, client_secret: clientSecret } = machine;
    const oauth = { grant: "client-credentials" as const, issuer, clientId, clientSecret };
    const session = await start({ tls: files(), credentials: { oauth } }, "https", "/mcp");
    expect(await say(session, "whoami")).toBe("gateway");
    expect(authorization.granted).toMatchObject([{ client: "gateway", resource }]);
    expect(clients()).toEqual(["gateway one"]);
  } finally {
    await locked.close();
    await authorization.close();
  }
});

test("a new certificate is in force with the next connection, a broken one is not", async () => {
  const notes = await start({ tls: files(), pool: { maxLifetimeMs: 1 } });
  await say(notes, "count");
  expect(clients()).toEqual(["gateway one"]);
  client = certificates.sign("client", "gateway two");
  for (let round = 0; round < 50 && clients().length < 2; round += 1) await say(notes, "count");
  expect(clients()).toEqual(["gateway one", "gateway two"]);
  certificates.spoil("client");
  const before = front.seen.length;
  for (let round = 0; round < 50 && front.seen.length === before; round += 1) await say(notes, "count");
  expect(front.seen.slice(before).map(([name]) => name)).toContain("gateway two");
  expect(clients()).toEqual(["gateway one", "gateway two"]);
});

test("checks of health and reports of load show it too", async () => {
  const asked = new Set<string>();
  const plain = await ProtectedServer.start(async (request) => {
    asked.add(String(request.url));
    return { who: "gateway" };
  });
  await front.close();
  front = await TlsFront.start(certificates, "server", Number(new URL(plain.url).port));
  try {
    const healthCheck = { path: "/health", loadPath: "/busy", intervalMs: 100 };
    await start({ healthCheck, loadBalancer: { strategy: "resource-based" }, tls: files() }, "https", "/mcp");
    for (let tries = 0; tries < 500 && asked.size < 3; tries += 1) await new Promise((next) => setTimeout(next, 20));
    expect([...asked].sort()).toEqual(["/busy", "/health", "/mcp"]);
    expect(clients()).toEqual(["gateway one"]);
  } finally {
    await plain.close();
  }
});
