import { expect, test } from "@jest/globals";
import { loggedMetadata } from "../../../runtime/routing/logged-metadata.ts";

test("what a caller wants noted is noted as it is while it is short", () => {
  const metadata = { run: "7", tags: ["a", "b"], trace: { id: 1, deep: { yes: true, none: null } } };
  expect(loggedMetadata(metadata)).toEqual(metadata);
  expect(loggedMetadata(undefined)).toBeUndefined();
});

test("megabytes, thousands of members and endless depth come to a line of a few KB", () => {
  let deep: unknown = "end";
  for (let level = 0; level < 100_000; level += 1) deep = { a: deep };
  const many = Object.fromEntries(
    Array.from({ length: 100_000 }, (_, index) => [`${index}`.padEnd(200, "k"), "v".repeat(200)]),
  );
  const noted = loggedMetadata({ text: "x".repeat(4_000_000), deep, many, list: Array(100_000).fill("y".repeat(500)) });
  expect(noted).toMatchObject({ text: `${"x".repeat(100)}…`, deep: { a: { a: "…" } } });
  const { many: members, list } = noted as { many: object; list: unknown[] };
  expect([Object.keys(members).length, list.length]).toEqual([17, 16]);
  expect(JSON.stringify(noted).length).toBeLessThan(8000);
});

test("a name that objects have anyway is noted like others", () => {
  expect(JSON.stringify(loggedMetadata(JSON.parse('{"__proto__":{"a":1}}')))).toBe('{"__proto__":{"a":1}}');
});
