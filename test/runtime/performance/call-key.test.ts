import { expect, test } from "@jest/globals";
import { audienceOf, readerOf } from "../../../runtime/performance/call-key.ts";

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
