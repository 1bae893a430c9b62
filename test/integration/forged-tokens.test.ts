import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import {
  type CryptoKey,
  exportJWK,
  exportSPKI,
  generateKeyPair,
  type JWK,
  type JWTHeaderParameters,
  jwtVerify,
  SignJWT,
} from "jose";
import { request } from "undici";
import { type Auth, issueText, validateConfig } from "../../runtime/config/schema/index.ts";
import { statefulServer, TestGateway } from "../support/gateway.ts";

// Tokens that whoever knows the issuer's public keys, and its algorithm, can make; and right ones with wrong claims.
const issuer = "https://issuer.example";
const audience = "http://127.0.0.1/mcp";
const algorithms = ["RS256", "PS256", "ES256", "EdDSA"] as const;
type Algorithm = (typeof algorithms)[number];

interface Key {
  readonly secret: CryptoKey;
  readonly open: CryptoKey;
  readonly jwk: JWK;
}
const keys = new Map<Algorithm, Key>();
let folder: string;
let jwksFile: string;
let gateway: TestGateway;

const start = (more: Partial<NonNullable<Auth["jwt"]>[number]> = {}) =>
  TestGateway.start({
    gateway: { auth: { jwt: [{ issuer, audience: [audience], jwksFile, clockSkewSeconds: 0, ...more }] } },
    servers: { notes: statefulServer() },
  });

beforeAll(async () => {
  for (const alg of algorithms) {
    const { privateKey: secret, publicKey: open } = await generateKeyPair(alg, { extractable: true });
    keys.set(alg, { secret, open, jwk: { ...(await exportJWK(open)), alg, use: "sig", kid: alg } });
  }
  folder = await mkdtemp(join(tmpdir(), "forged-"));
  jwksFile = join(folder, "jwks.json");
  await writeFile(jwksFile, JSON.stringify({ keys: [...keys.values()].map(({ jwk }) => jwk) }));
  gateway = await start();
});
afterAll(async () => {
  await gateway.close();
  await rm(folder, { recursive: true });
});

const now = () => Math.floor(Date.now() / 1000);
const claims = () => ({ iss: issuer, aud: audience, sub: "ann", iat: now(), exp: now() + 600 });
const keyOf = (alg: Algorithm) => keys.get(alg) as Key;
const sign = (payload: object, alg: Algorithm = "RS256", header: object = {}) =>
  new SignJWT(payload as never)
    .setProtectedHeader({ alg, kid: alg, ...header } as JWTHeaderParameters)
    .sign(keyOf(alg).secret);

/** What becomes of a call with this token. */
async function outcome(token: string, it = gateway): Promise<string> {
  const { statusCode, body } = await request(`${it.url}/api/v1/servers`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const said = (await body.json()) as { error?: { message: string } };
  return statusCode === 200 ? "came in" : `${statusCode} ${said.error?.message}`;
}
const refusedFor = (why: string) => `401 Unauthorized: the token is not accepted: ${why}`;
const notAllowed = refusedFor("its algorithm is not allowed");
const badSignature = refusedFor("its signature is not valid");

describe.each(algorithms)("an issuer that signs with %s", (alg) => {
  test("its own token comes in", async () => {
    expect(await outcome(await sign(claims(), alg))).toBe("came in");
  });

  test("key confusion: its public key, in every form that it is known in, is no secret of an HMAC", async () => {
    const { open, jwk } = keyOf(alg);
    const pem = await exportSPKI(open);
    const forms = [
      ...[pem, `${pem}\n`, pem.replace(/\n/g, "\r\n"), pem.replace(/-----[^-]+-----|\n/g, "")],
      ...[JSON.stringify(jwk), JSON.stringify({ keys: [jwk] }), String(jwk.n ?? jwk.x)],
    ].map((form) => new TextEncoder().encode(form));
    forms.push(new Uint8Array(await crypto.subtle.exportKey("spki", open)));
    const seen = new Set<string>();
    for (const secret of forms) {
      for (const hmac of ["HS256", "HS384", "HS512"]) {
        for (const kid of [{ kid: alg }, {}]) {
          const token = await new SignJWT(claims()).setProtectedHeader({ alg: hmac, ...kid }).sign(secret);
          // Good for whoever takes the public key as the secret.
          expect((await jwtVerify(token, secret)).payload.iss).toBe(issuer);
          seen.add(await outcome(token));
        }
      }
    }
    expect([...seen]).toEqual([notAllowed]);
  });

  test("no algorithm at all, however it is written, with and without a signature", async () => {
    const [, payload, signature] = (await sign(claims(), alg)).split(".");
    const seen = new Set<string>();
    for (const none of ["none", "None", "NONE", "nOnE", ""]) {
      const header = Buffer.from(JSON.stringify({ alg: none, kid: alg })).toString("base64url");
      for (const end of ["", signature]) seen.add(await outcome(`${header}.${payload}.${end}`));
    }
    expect([...seen].filter((one) => one !== notAllowed)).toEqual([badSignature]);
  });

  test("a key of the attacker's own, which the token brings along or names", async () => {
    const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
    const jwk = { ...(await exportJWK(publicKey)), alg, kid: "mine" };
    let asked = 0;
    const attacker = createServer((_request, response) => {
      asked += 1;
      response.setHeader("content-type", "application/json").end(JSON.stringify({ keys: [jwk] }));
    });
    await new Promise<void>((resolve) => attacker.listen(0, "127.0.0.1", resolve));
    const jku = `http://127.0.0.1:${(attacker.address() as AddressInfo).port}/jwks`;
    const forge = (header: object) =>
      new SignJWT(claims()).setProtectedHeader({ alg, ...header } as JWTHeaderParameters).sign(privateKey);
    const foreign = refusedFor("its key is not one of the issuer's");
    expect(await outcome(await forge({ kid: "mine", jwk }))).toBe(foreign);
    expect(await outcome(await forge({ kid: "mine", jku }))).toBe(foreign);
    expect(await outcome(await forge({ kid: alg, jwk, jku }))).toBe(badSignature);
    expect(await outcome(await forge({ kid: "../../../../dev/null" }))).toBe(foreign);
    expect(asked).toBe(0);
    await new Promise((resolve) => attacker.close(resolve));
  });
});

test("a token of one of the issuer's keys under the name of another, or by an algorithm that is not for it", async () => {
  expect(await outcome(await sign(claims(), "RS256", { kid: "ES256" }))).toMatch(/^401 /);
  expect(await outcome(await sign(claims(), "RS256", { kid: "PS256" }))).toMatch(/^401 /);
  const only = await start({ algorithms: ["ES256"] });
  try {
    expect(await outcome(await sign(claims(), "RS256"), only)).toBe(notAllowed);
    expect(await outcome(await sign(claims(), "ES256"), only)).toBe("came in");
  } finally {
    await only.close();
  }
});

test.each(["HS256", "none"])("a configuration that would take %s is refused", (algorithm) => {
  const jwt = [{ issuer, audience: [audience], jwksFile, algorithms: ["RS256", algorithm] }];
  const issues = validateConfig({ gateway: { auth: { jwt } }, servers: {} }).map(issueText);
  expect(issues).toContain(
    `gateway.auth.jwt[0].algorithms: holds "${algorithm}"; use algorithms with a public key, such as ES256 or RS256`,
  );
});

test.each<[string, () => object, string]>([
  ["expired", () => ({ exp: now() - 1 }), "it has expired"],
  ["without an end", () => ({ exp: undefined }), 'its claim "exp" is not as it must be'],
  ["with an end that is no time", () => ({ exp: "tomorrow" }), 'its claim "exp" is not as it must be'],
  ["not good yet", () => ({ nbf: now() + 600 }), 'its claim "nbf" is not as it must be'],
  ["for another audience", () => ({ aud: "https://elsewhere.example/" }), "its audience is another one"],
  ["for an audience that begins like ours", () => ({ aud: `${audience}.example` }), "its audience is another one"],
  ["for no audience", () => ({ aud: undefined }), "its audience is another one"],
  ["for an empty list of audiences", () => ({ aud: [] }), "its audience is another one"],
  ["of another issuer", () => ({ iss: "https://elsewhere.example" }), "its issuer is not one that is trusted here"],
  ["of an issuer with a slash more", () => ({ iss: `${issuer}/` }), "its issuer is not one that is trusted here"],
  ["about nobody", () => ({ sub: undefined }), 'it has no claim "sub"'],
])("a right signature under a token %s", async (_what, change, why) => {
  const token = await sign({ ...claims(), ...change() });
  expect(await outcome(token)).toBe(refusedFor(why));
});

test("an extension that has to be understood is not ignored (RFC 7515, 4.1.11)", async () => {
  const header = { alg: "RS256", kid: "RS256", crit: ["exp-only-here"], "exp-only-here": true };
  const token = await new SignJWT(claims())
    .setProtectedHeader(header)
    .sign(keyOf("RS256").secret, { crit: { "exp-only-here": true } });
  expect(await outcome(token)).toBe(badSignature);
});

test.each([true, false])("a JWT is replayed after it was revoked (the issuer is always asked: %s)", async (always) => {
  const revoked = new Set<string>();
  const asked = createServer(async (incoming, response) => {
    const token = new URLSearchParams(await text(incoming)).get("token") ?? "";
    const answer = revoked.has(token) ? { active: false } : { active: true, ...claims() };
    response.setHeader("content-type", "application/json").end(JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => asked.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(asked.address() as AddressInfo).port}/introspect`;
  const introspection = { clientId: "gateway", clientSecret: "secret", url, always };
  const it = await start({ introspection, cacheSeconds: 1 });
  try {
    const token = await sign(claims());
    expect(await outcome(token, it)).toBe("came in");
    revoked.add(token);
    // What was checked is remembered for a second.
    const remembered = Date.now() + 1000;
    let last = await outcome(token, it);
    for (let tries = 0; tries < 300 && (Date.now() <= remembered || (always && last === "came in")); tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      last = await outcome(token, it);
    }
    expect(last).toBe(always ? refusedFor("it is not active") : "came in");
  } finally {
    await it.close();
    await new Promise((resolve) => asked.close(resolve));
  }
});

test.each([
  [{}, {}, "came in"],
  [{ typ: "JWT" }, {}, "came in"],
  [{ typ: "at+jwt" }, {}, "came in"],
  [{ typ: "application/AT+JWT" }, {}, "came in"],
  [{ typ: "JOSE" }, {}, "came in"],
  // As Keycloak wrote it for years.
  [{ typ: "JWT" }, { typ: "Bearer", nonce: "n", scope: "openid" }, "came in"],
  [{ typ: "logout+jwt" }, {}, refusedFor('its type ("typ") is not that of an access token')],
  [{ typ: "dpop+jwt" }, {}, refusedFor('its type ("typ") is not that of an access token')],
  [{ typ: "secevent+jwt" }, {}, refusedFor('its type ("typ") is not that of an access token')],
  [{ typ: "id_token+jwt" }, {}, refusedFor('its type ("typ") is not that of an access token')],
  [{ typ: "" }, {}, refusedFor('its type ("typ") is not that of an access token')],
  [{}, { at_hash: "x" }, refusedFor('it is no access token: it has the claim "at_hash"')],
  [{}, { nonce: "n" }, refusedFor('it is no access token: it has a "nonce" and no scope')],
  [{}, { events: {} }, refusedFor('it is no access token: it has the claim "events"')],
  [{}, { typ: "ID", nonce: "n", scope: "openid" }, refusedFor('it is no access token: its "typ" is id')],
  [{}, { token_use: "id" }, refusedFor('it is no access token: its "token_use" is id')],
  [{}, { sub: "" }, refusedFor('its claim "sub" names nobody')],
  [{}, { sub: " " }, refusedFor('its claim "sub" names nobody')],
  [{}, { sub: ["ann"] }, refusedFor('its claim "sub" names nobody')],
  [{}, { sub: undefined, client_id: "ann" }, refusedFor('it has no claim "sub"')],
  [
    {},
    { cnf: { jkt: "x" } },
    refusedFor(
      "it is bound to a DPoP key (cnf.jkt), whose proof is not checked here; ask the issuer for a bearer token",
    ),
  ],
  [{}, { cnf: { "x5t#S256": "x" } }, refusedFor("it is bound to another client certificate (cnf.x5t#S256)")],
])("a token of the issuer with header %j and claims %j", async (header, more, expected) => {
  expect(await outcome(await sign({ ...claims(), ...more }, "RS256", header))).toBe(expected);
});
