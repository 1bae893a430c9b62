import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { resolveConfig } from "../../runtime/config/index.ts";
import type { Credentials } from "../../runtime/config/schema/index.ts";
import { loginTo } from "../../runtime/upstreams/credentials/index.ts";
import { AuthorizationServer } from "../support/authorization-server.ts";
import { say, TestGateway } from "../support/gateway.ts";
import { logIn, tokenStore } from "../support/login.ts";
import { ProtectedServer } from "../support/protected-server.ts";

// The gateway has registered itself at an authorization server, which has forgotten it since.
const clients = [
  { client_id: "known", client_secret: "known-secret", redirect_uris: ["http://127.0.0.1/callback"] },
].map((client) => ({ ...client, application_type: "native", grant_types: ["authorization_code", "refresh_token"] }));
let authorization: AuthorizationServer;
let server: ProtectedServer;
let folder: string;
beforeAll(async () => {
  authorization = await AuthorizationServer.start({ clients: clients as never });
  server = await ProtectedServer.withTokensOf(authorization.issuer);
});
afterAll(async () => {
  await server.close();
  await authorization.close();
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "forgotten-"));
  server.revoked.clear();
});

const configured = (more: Partial<NonNullable<Credentials["oauth"]>> = {}) => ({
  locked: {
    ...{ type: "custom" as const, isolation: "shared" as const, endpoints: [server.url] },
    credentials: { oauth: { grant: "authorization-code" as const, ...more } },
  },
});
const resolved = (servers = configured()) =>
  resolveConfig({ servers }).servers[0] as ReturnType<typeof resolveConfig>["servers"][number];
const client = () => authorization.granted.at(-1)?.client as string;
const refuseToken = () => server.revoked.add((server.seen.at(-1) as string).slice("Bearer ".length));
const loginNeeded = () =>
  `locked: ${new URL(server.url).origin} wants somebody to log in with read; run \`mcp-fleet login locked\` with the --config and --state of this gateway`;

test("the next call asks for a login, the login registers the gateway anew, and calls go on", async () => {
  await logIn(resolved(), folder);
  const first = client();
  const gateway = await TestGateway.start({ servers: configured() }, { stateDirectory: folder });
  try {
    const session = await gateway.connect("/mcp/locked");
    expect(await say(session, "whoami")).toBe("person for read");
    await authorization.forget(first);
    refuseToken();
    await expect(session.callTool({ name: "whoami", arguments: {} })).rejects.toThrow(loginNeeded());
    // Nothing is left to be tried again.
    await expect(session.callTool({ name: "whoami", arguments: {} })).rejects.toThrow(loginNeeded());
    await logIn(resolved(), folder);
    expect(client()).not.toBe(first);
    expect(await say(session, "whoami")).toBe("person for read");
  } finally {
    await gateway.close();
  }
});

test("a login that nobody could finish is not tried again with the same registration", async () => {
  await logIn(resolved(), folder);
  const first = client();
  await authorization.forget(first);
  const store = await tokenStore(folder);
  const pages: URL[] = [];
  const open = (page: URL) => void pages.push(page);
  // The authorization server's page says that it does not know the client: the browser never comes back.
  await expect(loginTo(resolved(), { store, clock: Date.now, open, timeoutMs: 1 })).rejects.toThrow(
    "nobody has logged in within",
  );
  expect(pages[0]?.searchParams.get("client_id")).toBe(first);
  await logIn(resolved(), folder);
  expect(client()).not.toBe(first);
  const second = client();
  // One that succeeds keeps its registration.
  await logIn(resolved(), folder);
  expect(client()).toBe(second);
  await rm(folder, { recursive: true });
});

test("a client that is configured is not given up: the settings are named, as before", async () => {
  const servers = configured({ clientId: "known", clientSecret: "known-secret" });
  await logIn(resolved(servers), folder);
  const gateway = await TestGateway.start({ servers }, { stateDirectory: folder });
  try {
    const session = await gateway.connect("/mcp/locked");
    expect(await say(session, "whoami")).toBe("person for read");
    await authorization.forget("known");
    refuseToken();
    await expect(session.callTool({ name: "whoami", arguments: {} })).rejects.toThrow(
      /invalid_client .*; check servers\.locked\.credentials/,
    );
  } finally {
    await gateway.close();
  }
});

test("an issuer that differs by the slash at its end from what the server names is the same", async () => {
  await expect(logIn(resolved(configured({ issuer: `${authorization.issuer}/` })), folder)).resolves.toMatchObject({
    issuer: authorization.issuer,
  });
  server.metadata = { ...server.metadata, authorization_servers: [`${authorization.issuer}/`] };
  await expect(logIn(resolved(configured({ issuer: authorization.issuer })), folder)).resolves.toMatchObject({
    issuer: authorization.issuer,
  });
  await rm(folder, { recursive: true });
});
