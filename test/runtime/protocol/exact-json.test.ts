import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { parseJson } from "../../../runtime/protocol/exact-json.ts";
import { ExactNumber } from "../../../runtime/protocol/exact-number.ts";
import { deepText, exactly, jsonText, numberText } from "../../support/exact-json.ts";

const again = (text: string) => JSON.stringify(parseJson(text));

test("any JSON text is written again with the digits that it came with", () => {
  const spaced = fc.tuple(jsonText, fc.constantFrom("", " ", "\n"), fc.boolean()).map(
    // Longer texts are looked at in another way.
    ([text, blank, long]) => `${blank}[${text}${long ? `,"${"x".repeat(1100)}"` : ""}]${blank}`,
  );
  fc.assert(
    fc.property(spaced, (text) => {
      expect(exactly(again(text))).toEqual(exactly(text));
    }),
    { seed: 17, numRuns: 3000 },
  );
});

test("a number alone keeps its digits, and is a plain one where JavaScript writes it as it came", () => {
  fc.assert(
    fc.property(numberText, (text) => {
      const value = parseJson(text);
      expect(again(text)).toBe(text);
      expect(typeof value === "number").toBe(JSON.stringify(JSON.parse(text)) === text);
      expect(Number(value)).toBe(JSON.parse(text));
    }),
    { seed: 18, numRuns: 3000 },
  );
});

test.each([
  "",
  "{",
  "1.0.0",
  "01",
  "-",
  "+1",
  ".5",
  "1.",
  "1e",
  "NaN",
  "[1.0,]",
  "{1.0:2}",
  '{"a" 1.0}',
  "[1.0 2.0]",
  "-01.0",
])("%j is no JSON, with long numbers or without", (text) => {
  expect(() => parseJson(text)).toThrow(SyntaxError);
  expect(() => parseJson(`[2047948614742839297,${text}`)).toThrow(SyntaxError);
});

test("the last of two members of one name counts, and __proto__ is a member like any other", () => {
  const value = parseJson('{"a":1.0,"a":[2.0],"__proto__":3.0,"b":{"__proto__":{"c":4.0}}}') as Record<string, unknown>;
  expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  expect(Object.keys(value)).toEqual(["a", "__proto__", "b"]);
  expect(JSON.stringify(value)).toBe('{"a":[2.0],"__proto__":3.0,"b":{"__proto__":{"c":4.0}}}');
  expect(Object.prototype).not.toHaveProperty("c");
});

test("as deep as messages nest", () => {
  const text = deepText(512, "1.0");
  expect(again(text)).toBe(text);
});

test("strings that look like numbers are strings", () => {
  expect(parseJson('["1.0",", 2.0","\\"3.0",4.0]')).toEqual(["1.0", ", 2.0", '"3.0', expect.any(ExactNumber)]);
});
