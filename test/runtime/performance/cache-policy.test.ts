import { expect, test } from "@jest/globals";
import { CachePolicy } from "../../../runtime/performance/cache-policy.ts";
import { RawReply } from "../../../runtime/protocol/raw-reply.ts";

test("a time that a server writes as 60000.0 is one", () => {
  const policy = new CachePolicy({ tools: {}, toolSharing: "caller", resourcesMs: 0 });
  const reply = new RawReply('{"contents":[],"ttlMs":60000.0,"cacheScope":"public"}');
  expect(policy.termsOf("resources/read", {}, reply)).toEqual({ ttlMs: 60_000, sharing: "everyone", declared: true });
});
