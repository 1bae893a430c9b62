import { expect, test } from "@jest/globals";
import { NodeKeys } from "../../../../runtime/orchestrator/cluster/index.ts";

const [a, b, c] = [new NodeKeys(), new NodeKeys(), new NodeKeys()];

test("both nodes of a pair know the token of a call, in each direction another one", () => {
  const token = a.tokenBetween(b.publicKey, "a", "b");
  expect(token).toMatch(/^[\w-]{43}$/);
  expect(b.tokenBetween(a.publicKey, "a", "b")).toBe(token);
  expect(a.tokenBetween(b.publicKey, "b", "a")).not.toBe(token);
});

test("what a node was sent it cannot pass on as the sender", () => {
  // b knows what a sends to b; c expects something else of a.
  const seen = a.tokenBetween(b.publicKey, "a", "c");
  expect(c.tokenBetween(a.publicKey, "a", "c")).not.toBe(seen);
  expect(b.tokenBetween(a.publicKey, "a", "c")).toBe(seen);
});

test("a key of small order gives no token", () => {
  const zero = Buffer.alloc(32).toString("base64url");
  expect(a.tokenBetween(zero, "a", "b")).toBeUndefined();
});

test("the proof for one coordinator is none for another, and is the same each time", () => {
  const keys = new NodeKeys(Buffer.alloc(32, 7));
  expect(keys.proofFor("http://one")).toBe(new NodeKeys(Buffer.alloc(32, 7)).proofFor("http://one"));
  expect(keys.proofFor("http://one")).not.toBe(keys.proofFor("http://two"));
  expect(keys.publicKey).toMatch(/^[\w-]{43}$/);
});
