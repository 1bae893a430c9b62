import { expect, test } from "@jest/globals";
import { audienceOf, readerOf, requestKey } from "../../../runtime/performance/call-key.ts";
import { parseJson } from "../../../runtime/protocol/exact-json.ts";
import type { Params } from "../../../runtime/protocol/json-rpc.ts";

const of = (caller: string | undefined, reader?: string) => ({ owner: "session-1", caller, reader });

test.each([
  ["shared", of("alice"), "alice"],
  ["shared", of("anonymous"), "anonymous"],
  ["shared", of(undefined), undefined],
  ["caller", of("alice"), "alice"],
  ["caller", of(undefined, "alice"), "alice"],
  // Strangers under one name have instances of their own, so they have answers of their own.
  ["caller", of("anonymous"), undefined],
  ["caller", of(undefined, "anonymous"), undefined],
  ["caller", of("local"), undefined],
  ["session", of("alice"), undefined],
])("isolation %s: of %j an answer is kept for %s", (isolation, client, reader) => {
  expect(readerOf(client, isolation)).toBe(reader);
  expect(audienceOf(client, isolation)).toBe(reader === undefined ? "owner\nsession-1\n" : `caller\n${reader}\n`);
});

test("requests whose numbers differ in their last digit are different ones", () => {
  const key = (text: string) => requestKey("tools/call", parseJson(text) as Params);
  expect(key('{"b":[2047948614742839297,1.0],"a":{}}')).toBe('tools/call {"a":{},"b":[2047948614742839297,1.0]}');
  expect(key('{"id":2047948614742839297}')).not.toBe(key('{"id":2047948614742839298}'));
});
