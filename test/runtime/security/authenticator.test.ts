import { createHook } from "node:async_hooks";
import type { IncomingMessage } from "node:http";
import { expect, test } from "@jest/globals";
import { Authenticator } from "../../../runtime/security/authenticator.ts";
import { hashPassword } from "../../../runtime/security/passwords.ts";
import type { Principal } from "../../../runtime/security/principal.ts";
import { digestOf } from "../../../runtime/security/secret-table.ts";

const request = (headers: IncomingMessage["headers"]) => ({ headers, socket: {} }) as unknown as IncomingMessage;
const caller = async (authenticator: Authenticator, headers: IncomingMessage["headers"]) => {
  try {
    const { caller, method, scopes, roles } = await authenticator.identify(request(headers));
    return [caller, method, [...scopes], [...roles]];
  } catch (error) {
    return (error as Error).message;
  }
};

test("without authentication everybody is local, whatever they send", async () => {
  expect(await caller(new Authenticator(undefined), { authorization: "Bearer x" })).toEqual(["local", "local", [], []]);
});

test("static tokens: only their holders come in, from the token itself or its hash", async () => {
  const authenticator = new Authenticator({
    bearerTokens: [
      { name: "ci", token: "s3cret", scopes: ["read"], roles: ["robot"] },
      { name: "cd", hash: `sha256:${digestOf("hashed")}` },
    ],
  });
  expect(await caller(authenticator, { authorization: "Bearer s3cret" })).toEqual([
    "ci",
    "bearer",
    ["read"],
    ["robot"],
  ]);
  expect(await caller(authenticator, { authorization: "bearer hashed" })).toEqual(["cd", "bearer", [], []]);
  const missing = "Unauthorized: send a configured token as `Authorization: Bearer <token>`";
  const wrong = "Unauthorized: the token is not accepted: it is not one that is known here";
  expect(await caller(authenticator, {})).toBe(missing);
  expect(await caller(authenticator, { authorization: "Basic s3cret" })).toBe(missing);
  expect(await caller(authenticator, { authorization: "s3cret" })).toBe(missing);
  expect(await caller(authenticator, { authorization: "Bearer " })).toBe(wrong);
  expect(await caller(authenticator, { authorization: "Bearer wrong" })).toBe(wrong);
  // The hash itself opens nothing.
  expect(await caller(authenticator, { authorization: `Bearer ${digestOf("hashed")}` })).toBe(wrong);
});

test("API keys: a header of their own, several of one name while they are rotated, an end", async () => {
  let now = Date.parse("2026-01-01T00:00:00Z");
  const keys = [
    { name: "app", key: "old", expiresAt: "2026-01-02T00:00:00Z" },
    { name: "app", hash: `sha256:${digestOf("new")}` },
  ];
  const authenticator = new Authenticator({ apiKeys: keys, apiKeyHeader: "X-Fleet-Key" }, () => now);
  expect(await caller(authenticator, { "x-fleet-key": "old" })).toEqual(["app", "api-key", [], []]);
  expect(await caller(authenticator, { "x-fleet-key": "new" })).toEqual(["app", "api-key", [], []]);
  now = Date.parse("2026-01-02T00:00:00Z");
  const refused = "Unauthorized: the token is not accepted: it is not a key that is known here";
  expect(await caller(authenticator, { "x-fleet-key": "old" })).toBe(refused);
  expect(await caller(authenticator, { "x-fleet-key": "new" })).toEqual(["app", "api-key", [], []]);
  expect(await caller(authenticator, { "x-api-key": "new" })).toBe("Unauthorized: send a key as `X-Fleet-Key: <key>`");
});

test("passwords: the right one, a wrong one, an unknown name; a right one is not hashed again for a minute", async () => {
  let now = 0;
  // Cheap parameters: what they cost is scrypt's own affair.
  const hash = await hashPassword("pass:word", { N: 1024, r: 8, p: 1 });
  const authenticator = new Authenticator({ basic: [{ name: "ann", hash }] }, () => now);
  const basic = (pair: string) => ({ authorization: `Basic ${Buffer.from(pair).toString("base64")}` });
  expect(await caller(authenticator, basic("ann:pass:word"))).toEqual(["ann", "basic", [], []]);
  const refused = "Unauthorized: the token is not accepted: the name or the password is wrong";
  expect(await caller(authenticator, basic("ann:pass"))).toBe(refused);
  expect(await caller(authenticator, basic("bob:pass:word"))).toBe(refused);
  expect(authenticator.remembered).toBe(1);
  expect(authenticator.identify(request(basic("ann:pass:word")))).not.toBeInstanceOf(Promise);
  now = 60_000;
  expect(authenticator.identify(request(basic("ann:pass:word")))).toBeInstanceOf(Promise);
});

test("both passwords of one name work while they are rotated, and an unknown name costs as many hashes", async () => {
  const cost = { N: 1024, r: 8, p: 1 };
  const [old, young, bobs] = await Promise.all(["old", "new", "bobs"].map((text) => hashPassword(text, cost)));
  const basic = [
    { name: "ann", hash: old as string },
    { name: "ann", hash: young as string },
    { name: "bob", hash: bobs as string },
  ];
  const authenticator = new Authenticator({ basic });
  let hashed = 0;
  const hook = createHook({
    init: (_id, type) => {
      if (type === "SCRYPTREQUEST") hashed += 1;
    },
  }).enable();
  const outcomes = [];
  try {
    for (const pair of ["ann:old", "ann:new", "ann:bobs", "bob:bobs", "eve:old"]) {
      const authorization = `Basic ${Buffer.from(pair).toString("base64")}`;
      const outcome = await caller(authenticator, { authorization });
      outcomes.push([outcome[0] === "U" ? "refused" : outcome[0], hashed]);
      hashed = 0;
    }
  } finally {
    hook.disable();
  }
  expect(outcomes).toEqual(["ann", "ann", "refused", "bob", "refused"].map((name) => [name, 2]));
});

test("an unknown name costs the same hash as a wrong password, so that time does not tell which it was", async () => {
  const hash = await hashPassword("right", { N: 1024, r: 8, p: 1 });
  const authenticator = new Authenticator({ basic: [{ name: "ann", hash }] });
  let hashed = 0;
  const hook = createHook({
    init: (_id, type) => {
      if (type === "SCRYPTREQUEST") hashed += 1;
    },
  }).enable();
  try {
    for (const pair of ["ann:wrong", "bob:wrong", "bob:right"]) {
      const authorization = `Basic ${Buffer.from(pair).toString("base64")}`;
      expect(await caller(authenticator, { authorization })).toContain("the name or the password is wrong");
    }
  } finally {
    hook.disable();
  }
  expect(hashed).toBe(3);
});

test("anonymous callers come in only where that is allowed, and a wrong credential does not make one anonymous", async () => {
  const authenticator = new Authenticator({ allowAnonymous: true, bearerTokens: [{ name: "ci", token: "right" }] });
  expect(await caller(authenticator, {})).toEqual(["anonymous", "anonymous", [], []]);
  expect(await caller(authenticator, { authorization: "Bearer right" })).toEqual(["ci", "bearer", [], []]);
  expect(await caller(authenticator, { authorization: "Bearer wrong" })).toContain("Unauthorized");
});

test("one object per stored credential, so that decisions can be kept by it", () => {
  const authenticator = new Authenticator({ bearerTokens: [{ name: "ci", token: "t" }] });
  const ask = () => authenticator.identify(request({ authorization: "Bearer t" })) as Principal;
  expect(ask()).toBe(ask());
});

test("a connection's token is looked up once; it ends when it ends, and another one is another caller", async () => {
  let now = Date.parse("2026-01-01T00:00:00Z");
  const bearerTokens = [
    { name: "ada", token: "token-of-ada", expiresAt: "2026-01-02T00:00:00Z" },
    { name: "bob", token: "token-of-bob" },
  ];
  const authenticator = new Authenticator({ bearerTokens }, () => now);
  const socket = {};
  const says = async (authorization: string) => {
    const asked = { headers: { authorization }, socket } as unknown as IncomingMessage;
    try {
      return (await authenticator.identify(asked)).caller;
    } catch (error) {
      return (error as Error).message;
    }
  };
  const refused = "Unauthorized: the token is not accepted: it is not one that is known here";
  const said = [];
  for (const token of ["ada", "ada", "bob", "eve", "bob", "ada"]) said.push(await says(`Bearer token-of-${token}`));
  expect(said).toEqual(["ada", "ada", "bob", refused, "bob", "ada"]);
  now = Date.parse("2026-01-02T00:00:00Z");
  expect([await says("Bearer token-of-ada"), await says("Bearer token-of-bob")]).toEqual([refused, "bob"]);
});
