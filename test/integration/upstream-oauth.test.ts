import { type ChildProcess, spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { SignJWT } from "jose";
import type { ClientMetadata } from "oidc-provider";
import { resolveConfig } from "../../runtime/config/index.ts";
import type { Credentials, Server } from "../../runtime/config/schema/index.ts";
import { AuthorizationServer } from "../support/authorization-server.ts";
import { say, statefulServer, TestGateway } from "../support/gateway.ts";
import { browse } from "../support/login.ts";
import { ProtectedServer } from "../support/protected-server.ts";

// A real authorization server, an MCP server that takes its tokens only, and the gateway as their client.
const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const pem = privateKey.export({ type: "pkcs8", format: "pem" }) as string;
const jwk = { ...publicKey.export({ format: "jwk" }), kid: "k1", use: "sig", alg: "ES256" };
const exchange = "urn:ietf:params:oauth:grant-type:token-exchange";
const bearer = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const machine = { redirect_uris: [], response_types: [], grant_types: ["client_credentials"] };
const clients = [
  { ...machine, client_id: "basic", client_secret: "canary-secret" },
  { ...machine, client_id: "post", client_secret: "canary-secret", token_endpoint_auth_method: "client_secret_post" },
  {
    ...{ ...machine, client_id: "jwt", token_endpoint_auth_method: "private_key_jwt", jwks: { keys: [jwk] } },
    grant_types: ["client_credentials", exchange],
  },
  {
    ...{ ...machine, client_id: "workload", token_endpoint_auth_method: "none", jwks: { keys: [jwk] } },
    grant_types: [bearer],
  },
] as unknown as ClientMetadata[];

let authorization: AuthorizationServer;
let server: ProtectedServer;
let gateway: TestGateway | undefined;
let folder: string;
beforeEach(async () => {
  authorization = await AuthorizationServer.start({ clients });
  server = await ProtectedServer.withTokensOf(authorization.issuer);
  folder = await mkdtemp(join(tmpdir(), "oauth-"));
});
afterEach(async () => {
  await gateway?.close();
  gateway = undefined;
  await server.close();
  await authorization.close();
  await rm(folder, { recursive: true, force: true });
});

type OAuth = NonNullable<Credentials["oauth"]>;
const behind = (oauth: OAuth): Record<string, Server> => ({
  locked: { type: "custom", isolation: "shared", endpoints: [server.url], credentials: { oauth } },
});
const own = (clientId: string, more: Partial<OAuth> = {}): OAuth => ({
  ...{ grant: "client-credentials", issuer: authorization.issuer, clientId },
  ...(clientId === "jwt" ? { privateKey: pem, keyId: "k1" } : { clientSecret: "canary-secret" }),
  ...more,
});
const granted = (grant: string, client: string, scope: string | undefined) => ({
  ...{ grant, client, scope, resource: server.url },
});

test.each(["basic", "post", "jwt"])("client credentials, the client %s: one token for all calls", async (client) => {
  const method = client === "post" ? ({ tokenEndpointAuthMethod: "client_secret_post" } as const) : {};
  gateway = await TestGateway.start({ servers: behind(own(client, method)) });
  const session = await gateway.connect("/mcp/locked");
  const answers = await Promise.all(Array.from({ length: 20 }, () => say(session, "whoami")));
  expect(new Set(answers)).toEqual(new Set([`${client} for read`]));
  expect(authorization.granted).toEqual([granted("client_credentials", client, "read")]);
});

test("a token that is refused is replaced once, a scope that is missing is asked for besides those granted", async () => {
  gateway = await TestGateway.start({ servers: behind(own("basic")) });
  const session = await gateway.connect("/mcp/locked");
  await say(session, "whoami");
  server.revoked.add((server.seen.at(-1) as string).slice("Bearer ".length));
  expect(await Promise.all([say(session, "whoami"), say(session, "whoami")])).toEqual([
    "basic for read",
    "basic for read",
  ]);
  expect(await say(session, "write")).toBe("basic for read write");
  expect(authorization.granted).toEqual([
    granted("client_credentials", "basic", "read"),
    granted("client_credentials", "basic", "read"),
    granted("client_credentials", "basic", "read write"),
  ]);
});

test("a server that refuses every token is not asked for ever, and the answer names the settings", async () => {
  gateway = await TestGateway.start({ servers: behind(own("basic")) });
  const session = await gateway.connect("/mcp/locked");
  server.admit = async () => ({ status: 401 });
  await expect(session.callTool({ name: "whoami", arguments: {} })).rejects.toThrow(
    `locked: ${new URL(server.url).origin} answered HTTP 401 to 3 tokens in a row; check servers.locked.credentials`,
  );
});

test("an authorization server that refuses the gateway, or that the server does not name, is told without secrets", async () => {
  const origin = new URL(server.url).origin;
  gateway = await TestGateway.start({ servers: behind(own("basic", { clientSecret: "canary-wrong" })) });
  const refused = (await gateway.connect("/mcp/locked").catch((error) => error)) as Error;
  expect(refused.message).toContain(
    `locked: no access to ${origin}: invalid_client (client authentication failed); check servers.locked.credentials`,
  );
  expect(JSON.stringify([refused, gateway.gateway.status()])).not.toContain("canary");
  await gateway.close();
  server.metadata = { resource: server.url, authorization_servers: ["https://elsewhere.example"] };
  gateway = await TestGateway.start({ servers: behind(own("basic")) });
  await expect(gateway.connect("/mcp/locked")).rejects.toThrow(
    `locked: no access to ${origin}: the server names https://elsewhere.example and not the configured issuer ${authorization.issuer}`,
  );
  expect(authorization.granted).toEqual([]);
});

test("token exchange: the server sees each caller, and never what the caller came with", async () => {
  const bearerTokens = ["alice", "bob"].map((name) => ({ name, token: `canary-${name}` }));
  gateway = await TestGateway.start({
    gateway: { auth: { bearerTokens } },
    servers: behind(own("jwt", { grant: "token-exchange" })),
  });
  const open = (name: string) => gateway?.connect("/mcp/locked", { authorization: `Bearer canary-${name}` });
  const [alice, bob] = await Promise.all([open("alice"), open("bob")]);
  const seen = [];
  for (const client of [alice, bob, alice]) seen.push(await say(client as never, "whoami"));
  expect(seen).toEqual(["alice for read", "bob for read", "alice for read"]);
  expect(await say(bob as never, "write")).toBe("bob for read write");
  expect(authorization.granted).toEqual([
    granted("client_credentials", "jwt", "read"),
    granted(exchange, "jwt", "read"),
    granted(exchange, "jwt", "read"),
    granted(exchange, "jwt", "read write"),
  ]);
  expect(server.seen.filter((header) => header.includes("canary"))).toEqual([]);
  expect(new Set(server.sessions.values())).toEqual(new Set(["jwt", "alice", "bob"]));
});

/** The JWT that a platform gives a workload. */
const workloadJwt = (audience = authorization.issuer, issuer = "https://platform.example") =>
  new SignJWT({ sub: "fleet/gateway" })
    .setProtectedHeader({ alg: "ES256", kid: "k1" })
    .setIssuer(issuer)
    .setAudience(audience)
    .setExpirationTime("5m")
    .sign(privateKey);
const asWorkload = (assertion: string): OAuth => ({
  ...{ grant: "jwt-bearer", issuer: authorization.issuer, clientId: "workload", assertion },
});

test("JWT bearer: the server sees the workload, no secret is needed, a scope that is missing is asked for", async () => {
  gateway = await TestGateway.start({ servers: behind(asWorkload(await workloadJwt())) });
  const session = await gateway.connect("/mcp/locked");
  const answers = await Promise.all(Array.from({ length: 20 }, () => say(session, "whoami")));
  expect(new Set(answers)).toEqual(new Set(["fleet/gateway for read"]));
  expect(await say(session, "write")).toBe("fleet/gateway for read write");
  expect(authorization.granted).toEqual([
    granted(bearer, "workload", "read"),
    granted(bearer, "workload", "read write"),
  ]);
});

test.each([
  ["another audience", "https://elsewhere.example", undefined],
  ["another platform", undefined, "https://elsewhere.example"],
])("JWT bearer: a JWT for or of %s is refused, and no other grant is tried", async (_what, audience, issuer) => {
  const assertion = await workloadJwt(audience, issuer);
  gateway = await TestGateway.start({ servers: behind(asWorkload(assertion)) });
  const refused = (await gateway.connect("/mcp/locked").catch((error) => error)) as Error;
  expect(refused.message).toContain(`locked: no access to ${new URL(server.url).origin}: invalid_grant`);
  expect(JSON.stringify([refused, gateway.gateway.status()])).not.toContain(assertion);
  expect(authorization.granted).toEqual([]);
});

/** Runs `mcp-fleet login` with a person who opens the page that it prints. */
async function login(): Promise<{ readonly code: number; readonly out: string }> {
  const main = join(import.meta.dirname, "../../runtime/cli/main.ts");
  const args = ["login", "locked", "--config", join(folder, "fleet.json"), "--state", folder, "--no-browser"];
  const child: ChildProcess = spawn(process.execPath, [main, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const exit = once(child, "exit");
  let opened: Promise<void> | undefined;
  let out = "";
  child.stdout?.on("data", (chunk) => {
    out += chunk;
    const page = /^http\S+$/m.exec(out)?.[0];
    if (page !== undefined) opened ??= browse(page);
  });
  const errors = await text(child.stderr as never);
  const [code] = await exit;
  await opened;
  return { code: Number(code), out: out.replace(/^http\S+$/m, "PAGE") + errors };
}

test("a change to a server that wants a login is in force: the login comes after it", async () => {
  const servers = behind({ grant: "authorization-code" });
  gateway = await TestGateway.start({ servers: { locked: statefulServer() } }, { stateDirectory: folder });
  await say(await gateway.connect("/mcp/locked"), "count");
  const next = resolveConfig({ gateway: { port: 0, drainMs: 1000, log: { level: "silent" } }, servers });
  expect(await (await gateway.gateway.apply(next, [])).changes).toEqual([]);
  await expect(gateway.connect("/mcp/locked")).rejects.toThrow("wants somebody to log in with read");
});

test("a person logs in once: the gateway uses and renews the tokens, and says when more is wanted", async () => {
  const servers = behind({ grant: "authorization-code" });
  await writeFile(join(folder, "fleet.json"), JSON.stringify({ servers }));
  gateway = await TestGateway.start({ servers }, { stateDirectory: folder });
  const { origin } = new URL(server.url);
  await expect(gateway.connect("/mcp/locked")).rejects.toThrow(
    `locked: ${origin} wants somebody to log in with read; run \`mcp-fleet login locked\` with the --config and --state of this gateway`,
  );
  const { issuer } = authorization;
  expect(await login()).toEqual({
    code: 0,
    out: `Open this page to let mcp-fleet use locked:\nPAGE\nlocked: ${issuer} has given a token for read; it is renewed by itself\n`,
  });
  const session = await gateway.connect("/mcp/locked");
  expect(await say(session, "whoami")).toBe("person for read");
  // Refused: renewed without a person, and once for all gateways of the folder.
  const second = await TestGateway.start({ servers }, { stateDirectory: folder });
  try {
    const other = await second.connect("/mcp/locked");
    expect(await say(other, "whoami")).toBe("person for read");
    server.revoked.add((server.seen.at(-1) as string).slice("Bearer ".length));
    const both = await Promise.all([say(session, "whoami"), say(other, "whoami")]);
    expect(both).toEqual(["person for read", "person for read"]);
  } finally {
    await second.stop();
  }
  // Not enough: a person has to agree.
  await expect(session.callTool({ name: "write", arguments: {} })).rejects.toThrow(
    `locked: ${origin} wants somebody to log in with write; run \`mcp-fleet login locked\` with the --config and --state of this gateway`,
  );
  expect(await login()).toMatchObject({ code: 0 });
  expect(await say(session, "write")).toBe("person for read write");
  expect(authorization.granted.map(({ grant, resource }) => [grant, resource])).toEqual([
    ["authorization_code", server.url],
    ["refresh_token", server.url],
    ["authorization_code", server.url],
  ]);
  // A gateway that starts anew has them still; nobody else can read them.
  await gateway.stop();
  gateway = await TestGateway.start({ servers }, { stateDirectory: folder });
  expect(await say(await gateway.connect("/mcp/locked"), "write")).toBe("person for read write");
  const [file] = await readdir(join(folder, "credentials"));
  expect(file).toBe("locked.sealed");
  const stored = await readFile(join(folder, "credentials/locked.sealed"), "utf8");
  expect(stored).toMatch(/^state\.[A-Za-z0-9_-]+\n$/);
});

test("no secret and no token in logs, errors, metrics, lists or the documentation page", async () => {
  const log = join(folder, "gateway.log");
  const bearerTokens = [{ name: "alice", token: "canary-alice" }];
  gateway = await TestGateway.start(
    {
      gateway: { auth: { bearerTokens }, log: { level: "trace", file: log } },
      servers: {
        ...behind(own("jwt", { grant: "token-exchange" })),
        other: { type: "custom", endpoints: [server.url], credentials: { oauth: own("basic") } },
        wrong: { type: "custom", endpoints: [server.url], credentials: { header: { value: "canary-wrong" } } },
      },
    },
    { secrets: ["canary-alice"] },
  );
  const headers = { authorization: "Bearer canary-alice" };
  for (const name of ["locked", "other"]) await say(await gateway.connect(`/mcp/${name}`, headers), "write");
  const failure = await gateway.connect("/mcp/wrong", headers).catch((error) => error);
  const pages = ["/api/v1/servers", "/api/v1/servers/wrong", "/metrics", "/docs", "/openapi.json", "/health"];
  const said = await Promise.all(
    pages.map(async (path) => (await fetch(new URL(path, gateway?.url), { headers })).text()),
  );
  said.push(JSON.stringify(failure), String(failure), JSON.stringify(gateway.gateway.status()));
  expect(said[2]).toContain('mcp_upstream_token_requests_total{server="locked",grant="token-exchange",outcome="ok"}');
  expect(said[2]).toContain('mcp_upstream_tokens{server="other"} 1');
  await gateway.stop();
  said.push(await readFile(log, "utf8"));
  expect(said.at(-1)).toContain('"msg":"token got"');
  const tokens = server.seen.map((header) => header.replace("Bearer ", "")).filter((token) => token !== "");
  const canaries = [...new Set([...tokens, "canary", pem.split("\n")[1] as string])];
  expect(canaries.length).toBeGreaterThan(5);
  expect(canaries.filter((canary) => said.some((text) => text.includes(canary)))).toEqual([]);
});

test("a server cannot make the gateway ask another port of its machine, and what stands there is not repeated to callers", async () => {
  const hits: string[] = [];
  const inside = createServer((request, response) => {
    hits.push(`${request.method} ${request.url}`);
    response.end(JSON.stringify({ resource: "canary-internal-value" }));
  });
  await new Promise<void>((resolve) => inside.listen(0, "127.0.0.1", resolve));
  const { port } = inside.address() as AddressInfo;
  const wall = `resource_metadata="http://127.0.0.1:${port}/latest/meta-data/iam"`;
  server.admit = async () => ({ status: 401, challenge: `Bearer error="invalid_token", scope="read", ${wall}` });
  try {
    gateway = await TestGateway.start({ servers: behind(own("basic")) });
    const origin = new URL(server.url).origin;
    await expect(gateway.connect("/mcp/locked")).rejects.toThrow(
      `locked: no access to ${origin}: resource_metadata, which the server names, is not on the server's own origin; check servers.locked.credentials`,
    );
    await gateway.close();
    server.metadata = { resource: "https://canary-internal-value.example", authorization_servers: [] };
    gateway = await TestGateway.start({ servers: behind(own("basic")) });
    const other = (await gateway.connect("/mcp/locked").catch((error) => error)) as Error;
    expect(other.message).toContain(
      `locked: no access to ${origin}: the server's resource metadata is about another resource;`,
    );
    expect([hits, JSON.stringify([other.message, gateway.gateway.status()]).includes("canary")]).toEqual([[], false]);
  } finally {
    inside.closeAllConnections();
    inside.close();
  }
});
