import { expect, test } from "@jest/globals";
import { parseJson } from "../../../runtime/protocol/exact-json.ts";
import type { Params } from "../../../runtime/protocol/json-rpc.ts";
import { type SessionClaims, SessionSealer } from "../../../runtime/protocol/sealed-session.ts";

const oldKey = { id: "old", key: Buffer.alloc(32, 1) };
const newKey = { id: "new", key: Buffer.alloc(32, 2) };
const claims: SessionClaims = {
  id: "abc",
  revision: "2025-06-18",
  server: "context7",
  caller: "local",
  openedAt: 1_700_000_000_000,
  worker: 0,
  client: { capabilities: { roots: {} }, clientInfo: { name: "client", version: "1" } },
};

test("an id opens to the claims it was sealed with, is visible ASCII, and differs each time", () => {
  const sealer = new SessionSealer([newKey]);
  const id = sealer.seal(claims);
  expect(id).toMatch(/^new\.[A-Za-z0-9_-]+$/);
  expect(sealer.open(id)).toEqual(claims);
  expect(sealer.open(sealer.seal({ ...claims, server: undefined }))).toEqual({ ...claims, server: undefined });
  expect(sealer.seal(claims)).not.toBe(id);
});

test("after a rotation the old key still opens, and a sealer without it does not", () => {
  const id = new SessionSealer([oldKey]).seal(claims);
  expect(new SessionSealer([newKey, oldKey]).open(id)).toEqual(claims);
  expect(new SessionSealer([newKey]).open(id)).toBeUndefined();
});

test("a sealed text has one spelling", () => {
  const sealer = new SessionSealer([newKey]);
  const id = sealer.seal(claims);
  const bytes = Buffer.from(id.slice(4), "base64url");
  const inBase64 = `new.${bytes.toString("base64")}`;
  const middle = `${id.slice(0, 20)}!${id.slice(20)}`;
  const spellings = [`${id}=`, `${id}==`, `${id}.`, `${id}.x`, `${id} `, `${id}\n`, ` ${id}`, middle];
  if (inBase64 !== id) spellings.push(inBase64);
  expect(spellings.map((text) => sealer.open(text))).toEqual(spellings.map(() => undefined));
  expect(sealer.open(id)).toEqual(claims);
});

test("every changed character is noticed", () => {
  const sealer = new SessionSealer([newKey]);
  const id = sealer.seal(claims);
  for (let at = 4; at < id.length; at += 1) {
    const forged = `${id.slice(0, at)}${id[at] === "A" ? "B" : "A"}${id.slice(at + 1)}`;
    expect(sealer.open(forged)).toBeUndefined();
  }
  for (const text of ["", "new", "new.", ".x", "new.AAAA", "unknown.AAAA"]) expect(sealer.open(text)).toBeUndefined();
});

test("keys of another length are refused", () => {
  expect(() => new SessionSealer([{ id: "k", key: Buffer.alloc(16) }])).toThrow(
    "session key k has 16 bytes instead of 32",
  );
  expect(() => new SessionSealer([])).toThrow("at least one session key is needed");
});

test("what a client declares keeps its digits", () => {
  const sealer = new SessionSealer([newKey]);
  const text = '{"experimental":{"x":{"id":2047948614742839297,"version":1.0}}}';
  const capabilities = parseJson(text) as Params;
  const opened = sealer.open(sealer.seal({ ...claims, client: { capabilities, clientInfo: undefined } }));
  expect(JSON.stringify(opened?.client.capabilities)).toBe(text);
});
