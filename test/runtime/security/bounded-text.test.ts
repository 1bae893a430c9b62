import { expect, test } from "@jest/globals";
import { boundedText } from "../../../runtime/security/bounded-text.ts";

test("a long name is cut and told from others by its length and digest", () => {
  const digest = "41edece42d63e8d9bf515a9ba6932e1c20cbc9f5a5d134645adb5db1b9737ea3";
  expect(boundedText("a".repeat(1000))).toBe(`${"a".repeat(256)}… (1000 characters, sha256:${digest})`);
  expect(boundedText("a".repeat(256))).toBe("a".repeat(256));
  expect(boundedText("abc", 2)).toMatch(/^ab… \(3 characters, sha256:[0-9a-f]{64}\)$/);
});
