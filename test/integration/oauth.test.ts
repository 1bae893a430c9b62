import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { decodeJwt, decodeProtectedHeader, exportSPKI, importJWK, type JWK, jwtVerify, SignJWT } from "jose";
import { request } from "undici";
import type { Auth } from "../../runtime/config/schema/index.ts";
import { AuthorizationServer } from "../support/authorization-server.ts";
import { say, statefulServer, TestGateway } from "../support/gateway.ts";

const resource = "http://127.0.0.1/mcp";
const client = (id: string) => ({
  ...{ client_id: id, client_secret: `${id}-secret`, redirect_uris: [], response_types: [] },
  grant_types: ["client_credentials"],
});
const clients = [client("agent"), client("gateway")];
let server: AuthorizationServer;
let opaque: AuthorizationServer;
let other: AuthorizationServer;

beforeAll(async () => {
  [server, opaque, other] = (await Promise.all([
    AuthorizationServer.start({ clients }),
    AuthorizationServer.start({ clients, opaque: true }),
    AuthorizationServer.start({ clients, accessTokenTtl: 1 }),
  ])) as [AuthorizationServer, AuthorizationServer, AuthorizationServer];
});
afterAll(async () => {
  await Promise.all([server, opaque, other].map((one) => one.close()));
});

/** An access token of a client of its own, for a resource. */
async function tokenOf(from: AuthorizationServer, scope = "read", audience = resource): Promise<string> {
  const body = new URLSearchParams({ grant_type: "client_credentials", resource: audience, scope });
  const answer = await request(`${from.issuer}/token`, {
    method: "POST",
    headers: {
      "content-type": "application/x-www-form-urlencoded",
      authorization: `Basic ${Buffer.from("agent:agent-secret").toString("base64")}`,
    },
    body: body.toString(),
  });
  return ((await answer.body.json()) as { access_token: string }).access_token;
}

const start = (auth: Auth, more: object = {}) =>
  TestGateway.start({
    gateway: { auth },
    servers: { notes: { ...statefulServer(), ...more }, files: statefulServer() },
  });

const initialize = JSON.stringify({
  ...{ jsonrpc: "2.0", id: 1, method: "initialize" },
  params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "t", version: "1" } },
});
async function ask(it: TestGateway, path: string, token?: string) {
  const answer = await request(`${it.url}${path}`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: initialize,
  });
  const body = (await answer.body.json()) as { error?: { message: string } };
  return { status: answer.statusCode, challenge: answer.headers["www-authenticate"], message: body.error?.message };
}
/** Polls until the answer has this status. */
async function until(it: TestGateway, path: string, token: string, status: number) {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const answer = await ask(it, path, token);
    if (answer.status === status) return answer;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${path} never answered ${status}`);
}

describe("a resource server", () => {
  let it: TestGateway;
  beforeAll(async () => {
    const jwt = [{ issuer: server.issuer }, { issuer: opaque.issuer }];
    it = await start({ jwt, oauth: { resource, scopes: ["read", "write"] } }, { auth: { scopes: ["write"] } });
  });
  afterAll(() => it.close());
  const metadata = "http://127.0.0.1/.well-known/oauth-protected-resource/mcp";

  test("tells without a token where tokens come from, for all servers and for one (RFC 9728)", async () => {
    const get = async (path: string) => {
      const answer = await request(`${it.url}/.well-known/oauth-protected-resource${path}`);
      return [answer.statusCode, answer.statusCode === 200 ? await answer.body.json() : undefined];
    };
    const document = {
      resource,
      authorization_servers: [server.issuer, opaque.issuer],
      bearer_methods_supported: ["header"],
      scopes_supported: ["read", "write"],
    };
    expect(await get("")).toEqual([200, document]);
    expect(await get("/mcp")).toEqual([200, document]);
    expect(await get("/mcp/notes")).toEqual([200, { ...document, resource: `${resource}/notes` }]);
    // Without a token nobody learns which servers there are.
    expect(await get("/mcp/nope")).toEqual([200, { ...document, resource: `${resource}/nope` }]);
    expect((await get("/mcp/No_Name"))[0]).toBe(404);
  });

  test("challenges callers without a token, with a wrong one, and with too few scopes", async () => {
    expect(await ask(it, "/mcp/files")).toEqual({
      status: 401,
      challenge: `Bearer resource_metadata="${metadata}/files", scope="read write"`,
      message: "Unauthorized: send an access token as `Authorization: Bearer <token>`",
    });
    expect(await ask(it, "/mcp", "nonsense")).toEqual({
      status: 401,
      challenge: `Bearer error="invalid_token", resource_metadata="${metadata}", scope="read write"`,
      message: "Unauthorized: the token is not accepted: it is not one that is known here",
    });
    expect(await ask(it, "/mcp/notes", await tokenOf(server))).toEqual({
      status: 403,
      challenge: `Bearer error="insufficient_scope", resource_metadata="${metadata}/notes", scope="read write"`,
      message: "Forbidden: the token lacks the scopes write; ask for them",
    });
  });

  test("serves who follows the challenge; a server that wants more stays out of their lists at /mcp", async () => {
    const few = await it.connect("/mcp", { authorization: `Bearer ${await tokenOf(server)}` });
    expect(await say(few, "files__count")).toMatchObject({ count: 1 });
    const names = (await few.listTools()).tools.map(({ name }) => name);
    expect(names).toEqual(["files__count", "files__crash", "files__slow", "files__where"]);
    // The SDK's client reads the challenge, and would ask for more if it had a person to ask.
    await expect(few.callTool({ name: "notes__count", arguments: {} })).rejects.toThrow(
      'Insufficient scope: required "read write"',
    );
    const all = await it.connect("/mcp", { authorization: `Bearer ${await tokenOf(server, "read write")}` });
    expect((await all.listTools()).tools.length).toBe(8);
    expect(await say(all, "notes__count")).toMatchObject({ count: 1 });
  });

  test("a token for one server opens that server alone (RFC 8707)", async () => {
    const token = await tokenOf(server, "read", `${resource}/files`);
    expect(decodeJwt(token).aud).toBe(`${resource}/files`);
    expect((await ask(it, "/mcp/files", token)).status).toBe(200);
    const refused = "Unauthorized: the token is not accepted: its audience is another one";
    expect(await ask(it, "/mcp/notes", token)).toMatchObject({ status: 401, message: refused });
    expect(await ask(it, "/mcp", token)).toMatchObject({ status: 401, message: refused });
  });

  test("a token in the query is not one (OAuth 2.1, section 5.1.1)", async () => {
    expect((await ask(it, `/mcp?access_token=${await tokenOf(server)}`)).status).toBe(401);
  });
});

describe("forged and stolen tokens: each attack fails, and succeeds with its control off", () => {
  const [on, off] = [true, false];
  const attack = async (auth: Auth, token: string) => {
    const it = await start(auth);
    try {
      const { status, message } = await ask(it, "/mcp", token);
      return status === 200 ? "came in" : message;
    } finally {
      await it.close();
    }
  };
  const refusedFor = (why: string) => `Unauthorized: the token is not accepted: ${why}`;

  test.each([on, off])("a token for another service (audience checked: %s)", async (control) => {
    const token = await tokenOf(server, "read", "https://elsewhere.example.org/");
    const audience = [resource, ...(control ? [] : ["https://elsewhere.example.org/"])];
    const outcome = await attack({ jwt: [{ issuer: server.issuer, audience }] }, token);
    expect(outcome).toBe(control ? refusedFor("its audience is another one") : "came in");
  });

  test.each([on, off])("a token of somebody else's authorization server (issuer checked: %s)", async (control) => {
    const trusted = [server, ...(control ? [] : [other])].map(({ issuer }) => ({
      ...{ issuer, audience: [resource], clockSkewSeconds: 300 },
    }));
    const real = await tokenOf(other);
    expect(await attack({ jwt: trusted }, real)).toBe(
      control ? refusedFor("its issuer is not one that is trusted here") : "came in",
    );
  });

  test.each([on, off])("an expired token (expiry checked: %s)", async (control) => {
    const token = await tokenOf(other);
    const ended = (decodeJwt(token).exp as number) * 1000;
    while (Date.now() <= ended) await new Promise((resolve) => setTimeout(resolve, 50));
    const skew = { clockSkewSeconds: control ? 0 : 300 };
    const outcome = await attack({ jwt: [{ issuer: other.issuer, audience: [resource], ...skew }] }, token);
    // What ended is not remembered: with the control off it is taken within the allowed difference of the clocks.
    expect(outcome).toBe(control ? refusedFor("it has expired") : "came in");
  });

  test.each([on, off])("a revoked token is replayed (looked up again: %s)", async (control) => {
    const introspection = { clientId: "gateway", clientSecret: "gateway-secret" };
    const cacheSeconds = control ? 1 : 3600;
    const it = await start({ jwt: [{ issuer: opaque.issuer, audience: [resource], introspection, cacheSeconds }] });
    try {
      const token = await tokenOf(opaque);
      expect((await ask(it, "/mcp", token)).status).toBe(200);
      await request(`${opaque.issuer}/token/revocation`, {
        method: "POST",
        headers: {
          "content-type": "application/x-www-form-urlencoded",
          authorization: `Basic ${Buffer.from("agent:agent-secret").toString("base64")}`,
        },
        body: new URLSearchParams({ token }).toString(),
      });
      if (control) expect((await until(it, "/mcp", token, 401)).message).toBe(refusedFor("it is not active"));
      else expect((await ask(it, "/mcp", token)).status).toBe(200);
    } finally {
      await it.close();
    }
  });

  test("alg none, key confusion, a changed claim, an unknown key: what a naive check would take", async () => {
    const token = await tokenOf(server);
    const [, payload] = token.split(".") as [string, string, string];
    const { keys } = (await (await request(`${server.issuer}/jwks`)).body.json()) as { keys: JWK[] };
    const jwk = keys.find(({ kid }) => kid === decodeProtectedHeader(token).kid) as JWK;
    const pem = new TextEncoder().encode(
      await exportSPKI(
        (await importJWK(jwk, "ES256", { extractable: true })) as Awaited<ReturnType<typeof keyPair>>["publicKey"],
      ),
    );
    const none = `${Buffer.from('{"alg":"none","typ":"at+jwt"}').toString("base64url")}.${payload}.`;
    const confused = await new SignJWT(decodeJwt(token)).setProtectedHeader({ alg: "HS256", kid: "ES256" }).sign(pem);
    const changed = token.replace(
      payload,
      Buffer.from(JSON.stringify({ ...decodeJwt(token), scope: "write" })).toString("base64url"),
    );
    const { privateKey } = await keyPair();
    const unknown = await new SignJWT(decodeJwt(token))
      .setProtectedHeader({ alg: "ES256", kid: "ES256" })
      .sign(privateKey);
    // The confused token is good for whoever takes the public key as the secret of an HMAC.
    expect((await jwtVerify(confused, pem)).payload.iss).toBe(server.issuer);
    const auth = { jwt: [{ issuer: server.issuer, audience: [resource] }] };
    expect(await attack(auth, token)).toBe("came in");
    expect(await attack(auth, none)).toBe(refusedFor("its algorithm is not allowed"));
    expect(await attack(auth, confused)).toBe(refusedFor("its algorithm is not allowed"));
    expect(await attack(auth, changed)).toBe(refusedFor("its signature is not valid"));
    expect(await attack(auth, unknown)).toBe(refusedFor("its signature is not valid"));
  });

  test("an issuer that cannot be asked is a 503 to come back to, not a refusal", async () => {
    const gone = await AuthorizationServer.start({ clients });
    const token = await tokenOf(gone);
    await gone.close();
    const it = await start({ jwt: [{ issuer: gone.issuer, audience: [resource] }] });
    const { status, challenge } = await ask(it, "/mcp", token);
    expect([status, challenge]).toEqual([503, undefined]);
    await it.close();
  });
});

const keyPair = () => crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
