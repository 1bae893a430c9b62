import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "@jest/globals";
import { loadConfig, watchConfig } from "../../runtime/config/index.ts";
import type { Credentials, Server } from "../../runtime/config/schema/index.ts";
import { say, TestGateway } from "../support/gateway.ts";
import { type Admission, ProtectedServer } from "../support/protected-server.ts";

// Secrets of the configuration in front of a server that lets nobody else in.
let server: ProtectedServer;
let gateway: TestGateway;
let folder: string | undefined;
afterEach(async () => {
  await gateway.close();
  await server.close();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  folder = undefined;
});

const people = [
  { name: "alice", token: "alice-at-the-gateway" },
  { name: "bob", token: "bob-at-the-gateway" },
  { name: "carol", token: "carol-at-the-gateway" },
];
const auth = { bearerTokens: people };
const as = (name: string) => ({ authorization: `Bearer ${name}-at-the-gateway` });
const known: Readonly<Record<string, string>> = {
  "Bearer of-alice": "alice",
  "Bearer of-bob": "bob",
  "Bearer of-gateway": "gateway",
};
const byHeader = async ({ headers }: { headers: Record<string, unknown> }): Promise<Admission> => {
  const who = known[String(headers.authorization)];
  return who === undefined ? { status: 401 } : { who };
};
const behind = (credentials: Credentials, more: Partial<Server> = {}): Record<string, Server> => ({
  locked: { type: "custom", endpoints: [server.url], credentials, ...more },
});

test("a header with a scheme, or of another name", async () => {
  server = await ProtectedServer.start(byHeader);
  gateway = await TestGateway.start({ servers: behind({ header: { scheme: "Bearer", value: "of-gateway" } }) });
  expect(await say(await gateway.connect("/mcp/locked"), "whoami")).toBe("gateway");
  await gateway.close();
  server.admit = async ({ headers }) => (headers["x-api-key"] === "k" ? { who: "key" } : { status: 401 });
  gateway = await TestGateway.start({ servers: behind({ header: { name: "X-Api-Key", value: "k" } }) });
  expect(await say(await gateway.connect("/mcp/locked"), "whoami")).toBe("key");
});

test("without credentials, or with wrong ones, the error says where to put them and not what they are", async () => {
  server = await ProtectedServer.start(byHeader);
  gateway = await TestGateway.start({ servers: { locked: { type: "custom", endpoints: [server.url] } } });
  await expect(gateway.connect("/mcp/locked")).rejects.toThrow(
    `locked: ${new URL(server.url).origin} answered HTTP 401; configure servers.locked.credentials`,
  );
  await gateway.close();
  gateway = await TestGateway.start({ servers: behind({ header: { scheme: "Bearer", value: "canary-wrong" } }) });
  const failure = (await gateway.connect("/mcp/locked").catch((error) => error)) as Error;
  expect(failure.message).toContain(
    `locked: ${new URL(server.url).origin} refused the credentials with HTTP 401; check servers.locked.credentials`,
  );
  expect(JSON.stringify([failure, gateway.gateway.status()])).not.toContain("canary-wrong");
});

const isolations = ["shared", "caller", "session"] as const;
const ways = isolations.flatMap((isolation) => [false, true].map((modern) => ({ isolation, modern })));

test.each(ways)(
  "each caller has a secret and a session of its own, isolation $isolation, a stateless server: $modern",
  async ({ isolation, modern }) => {
    server = await ProtectedServer.start(byHeader);
    server.modern = modern;
    const callers = { scheme: "Bearer", secrets: { alice: "of-alice", bob: "of-bob" }, gateway: "of-gateway" };
    gateway = await TestGateway.start({ gateway: { auth }, servers: behind({ callers }, { isolation }) });
    const [alice, bob, carol] = await Promise.all(people.map(({ name }) => gateway.connect("/mcp/locked", as(name))));
    const seen = [];
    for (const client of [alice, bob, alice]) seen.push(await say(client as never, "whoami"));
    expect(seen).toEqual(["alice", "bob", "alice"]);
    await expect(carol?.callTool({ name: "whoami", arguments: {} })).rejects.toThrow(
      'locked: caller "carol" has no credentials here; add it to servers.locked.credentials.callers.secrets',
    );
    // Through REST and from a session of the other kind it is the same caller.
    const response = await fetch(new URL("/api/v1/servers/locked/requests", gateway.url), {
      ...{ method: "POST", headers: { ...as("bob"), "content-type": "application/json" } },
      body: JSON.stringify({ method: "whoami", params: {} }),
    });
    expect(await response.json()).toMatchObject({ result: { content: [{ text: '"bob"' }] } });
    // What callers came with has gone nowhere; the gateway's own questions have their own secret.
    expect(new Set(server.seen.filter((header) => header !== ""))).toEqual(new Set(Object.keys(known)));
    expect(new Set(server.sessions.values())).toEqual(new Set(modern ? [] : ["alice", "bob", "gateway"]));
  },
);

test("a secret in a file is read again when it changes; the session goes on", async () => {
  server = await ProtectedServer.start(async ({ headers }) =>
    headers.authorization === `Bearer ${valid}` ? { who: "gateway" } : { status: 401 },
  );
  folder = await mkdtemp(join(tmpdir(), "credentials-"));
  const path = join(folder, "mcp-fleet.yaml");
  let valid = "first";
  await writeFile(join(folder, "secret"), "first\n");
  await writeFile(
    path,
    `gateway: { port: 0, log: { level: silent } }
servers:
  locked:
    type: custom
    isolation: shared
    endpoints: [ "${server.url}" ]
    credentials: { header: { scheme: Bearer, value: "file:secret" } }
`,
  );
  const initial = await loadConfig(path);
  expect(initial.secrets).toEqual(["first"]);
  gateway = await TestGateway.start({
    servers: { locked: initial.config.servers[0] as never },
  });
  const changed = Promise.withResolvers<void>();
  const watcher = watchConfig({
    ...{ path, initial, debounceMs: 1, onError: changed.reject },
    onChange: ({ config, secrets }) => {
      gateway.gateway.apply(config, secrets);
      changed.resolve();
    },
  });
  try {
    const client = await gateway.connect("/mcp/locked");
    expect(await say(client, "whoami")).toBe("gateway");
    valid = "second";
    await writeFile(join(folder, "secret"), "second\n");
    await changed.promise;
    expect(await say(client, "whoami")).toBe("gateway");
    expect(server.sessions.size).toBe(1);
    expect(gateway.gateway.status().servers[0]).toMatchObject({ restarts: 0 });
  } finally {
    watcher.close();
  }
});

test("a call ends in its time when the server does not let its caller open a session", async () => {
  server = await ProtectedServer.start((request, method) =>
    method === "initialize" && request.headers.authorization === "Bearer of-bob"
      ? new Promise(() => {})
      : byHeader(request),
  );
  const callers = { scheme: "Bearer", secrets: { alice: "of-alice", bob: "of-bob" }, gateway: "of-gateway" };
  const timeouts = { requestMs: 1000, connectMs: 3000 };
  gateway = await TestGateway.start({
    gateway: { auth },
    servers: behind({ callers }, { isolation: "shared", timeouts, retry: { attempts: 1 } }),
  });
  const call = async (name: string) => {
    const response = await fetch(`${gateway.url}/api/v1/servers/locked/tools/whoami`, {
      method: "POST",
      headers: { "content-type": "application/json", ...as(name) },
      body: "{}",
    });
    const { error } = (await response.json()) as { error?: { message: string } };
    return { status: response.status, error: error?.message };
  };
  expect(await call("bob")).toEqual({
    status: 504,
    error: expect.stringMatching(/^locked: no answer within 1000 ms; raise timeouts.requestMs/),
  });
  expect(await call("alice")).toEqual({ status: 200, error: undefined });
});
