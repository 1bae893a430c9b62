import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { Authenticator } from "../../../runtime/security/authenticator.ts";
import type { Principal } from "../../../runtime/security/principal.ts";

/** Answers to look-ups of a token (RFC 7662) that a test gives. */
let answer: (token: string, response: ServerResponse) => void;
let asked: string[];
let server: Server;
let folder: string;
beforeEach(async () => {
  asked = [];
  folder = await mkdtemp(join(tmpdir(), "issuer-"));
  await writeFile(join(folder, "jwks.json"), '{"keys":[]}');
  server = createServer(async (request, response) => {
    const token = new URLSearchParams(await text(request)).get("token") ?? "";
    asked.push(token);
    answer(token, response);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true });
});

const json = (response: ServerResponse, body: object) =>
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
const active = (more: object = {}) => ({ active: true, sub: "ann", aud: "gateway", ...more });
let now = 0;
const start = () => {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/introspect`;
  const introspection = { url, clientId: "gateway", clientSecret: "secret" };
  const issuer = {
    issuer: "https://issuer.example",
    audience: ["gateway"],
    jwksFile: join(folder, "jwks.json"),
    introspection,
  };
  return new Authenticator({ jwt: [issuer] }, () => now);
};
const ask = async (authenticator: Authenticator, token: string, address = "192.0.2.1", socket: object = {}) => {
  const request = { headers: { authorization: `Bearer ${token}` }, socket } as unknown as IncomingMessage;
  try {
    return ((await authenticator.identify(request, address)) as Principal).caller;
  } catch (error) {
    return (error as Error).message;
  }
};
const refusal = (why: string) => `Unauthorized: the token is not accepted: ${why}`;

test("a wrong token is asked about once in ten seconds, however often it comes", async () => {
  answer = (_token, response) => json(response, { active: false });
  const authenticator = start();
  const outcomes = [];
  for (let round = 0; round < 20; round += 1) outcomes.push(await ask(authenticator, "wrong"));
  expect([new Set(outcomes), asked]).toEqual([new Set([refusal("it is not active")]), ["wrong"]]);
  now += 10_000;
  answer = (_token, response) => json(response, active());
  expect([await ask(authenticator, "wrong"), asked.length]).toEqual(["https://issuer.example#ann", 2]);
});

test("a token that comes twenty times at once is asked about once", async () => {
  answer = (_token, response) => json(response, active());
  const authenticator = start();
  const outcomes = await Promise.all(Array.from({ length: 20 }, () => ask(authenticator, "new")));
  expect([new Set(outcomes), asked]).toEqual([new Set(["https://issuer.example#ann"]), ["new"]]);
});

test("a flood of unknown tokens from one address does not hold up a new one from another", async () => {
  const held: ServerResponse[] = [];
  answer = (token, response) => {
    if (token === "good") json(response, active());
    else held.push(response);
  };
  const authenticator = start();
  const flood = Array.from({ length: 100 }, (_, index) => ask(authenticator, `random-${index}`, "2001:db8::1"));
  while (held.length < 8) await new Promise(setImmediate);
  expect(await ask(authenticator, "good", "192.0.2.1")).toBe("https://issuer.example#ann");
  // Whatever else its /64 is called.
  expect(await ask(authenticator, "more", "2001:DB8:0:0:1::2")).toContain("too many tokens are being checked");
  expect([held.length, authenticator.waiting]).toEqual([8, { size: 16, max: 320 }]);
  answer = (_token, response) => json(response, { active: false });
  for (const response of held) json(response, { active: false });
  const outcomes = await Promise.all(flood);
  expect(outcomes.filter((outcome) => outcome === refusal("it is not active"))).toHaveLength(24);
  expect(authenticator.waiting.size).toBe(0);
});

test("an endless answer about a token is cut at a mebibyte, a redirected one is not followed", async () => {
  let sent = 0;
  answer = (_token, response) => {
    response.writeHead(200, { "content-type": "application/json" }).write('{"active":true,"x":"');
    const chunk = Buffer.alloc(65_536, "a");
    const more = () => {
      while (!response.destroyed && response.write(chunk)) sent += chunk.length;
      if (!response.destroyed) response.once("drain", more);
    };
    more();
  };
  const authenticator = start();
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const unavailable = (why: string) =>
    `Service unavailable: the issuer https://issuer.example cannot be asked about a token (${why}); try again`;
  expect(await ask(authenticator, "endless")).toBe(unavailable(`the answer of ${origin} is longer than 1048576 bytes`));
  // What the sockets hold besides.
  expect(sent).toBeLessThan(64 * 1024 * 1024);
  answer = (_token, response) => response.writeHead(307, { location: "/elsewhere" }).end();
  expect(await ask(authenticator, "redirected")).toContain("cannot be asked about a token");
  expect(asked).toEqual(["endless", "redirected"]);
});

test("the token of a client itself, of which an issuer says no subject, is the client's", async () => {
  answer = (_token, response) => json(response, active({ sub: undefined, client_id: "robot" }));
  expect(await ask(start(), "token")).toBe("https://issuer.example#robot");
});

const certificate = Buffer.from("a certificate");
const thumbprint = "gazXYhQPppKhQoItL75NxvVLyqUB9oqzflru0Lr-TZk";
test.each([
  [{ sub: "" }, 'its claim "sub" names nobody'],
  [{ sub: 7 }, 'its claim "sub" names nobody'],
  [{ sub: undefined }, 'it has no claim "sub"'],
  [{ sub: undefined, client_id: "" }, 'its claim "client_id" names nobody'],
  [{ sub: "ann\u001b[2J" }, 'its claim "sub" names nobody'],
  [{ sub: "a".repeat(513) }, 'its claim "sub" names nobody'],
  [
    { cnf: { jkt: "x" } },
    "it is bound to a DPoP key (cnf.jkt), whose proof is not checked here; ask the issuer for a bearer token",
  ],
  [
    { cnf: { jwk: {} } },
    "it is bound to a key (cnf), whose proof is not checked here; ask the issuer for a bearer token",
  ],
  [{ cnf: {} }, "it is bound to a key (cnf), whose proof is not checked here; ask the issuer for a bearer token"],
  [{ cnf: { "x5t#S256": "other" } }, "it is bound to another client certificate (cnf.x5t#S256)"],
  [
    { cnf: { "x5t#S256": thumbprint, jkt: "x" } },
    "it is bound to a key (cnf), whose proof is not checked here; ask the issuer for a bearer token",
  ],
  [{ token_use: "id" }, 'it is no access token: its "token_use" is id'],
  [{ typ: "Refresh" }, 'it is no access token: its "typ" is refresh'],
])("an introspected token with %j is refused", async (claims, why) => {
  answer = (_token, response) => json(response, active(claims));
  expect(await ask(start(), "token", "192.0.2.1", { getPeerCertificate: () => ({ raw: certificate }) })).toBe(
    refusal(why),
  );
});

test("a token that is bound to a client certificate is good on connections with that certificate, and on no others", async () => {
  answer = (_token, response) => json(response, active({ cnf: { "x5t#S256": thumbprint }, typ: "Bearer" }));
  const authenticator = start();
  const own = { getPeerCertificate: () => ({ raw: certificate }) };
  const stolen = refusal("it is bound to another client certificate (cnf.x5t#S256)");
  const outcomes = [];
  for (const socket of [{}, own, {}, { getPeerCertificate: () => ({}) }, own]) {
    outcomes.push(await ask(authenticator, "token", "192.0.2.1", socket));
  }
  const ann = "https://issuer.example#ann";
  expect([outcomes, asked.length]).toEqual([[stolen, ann, stolen, stolen, ann], 1]);
});
