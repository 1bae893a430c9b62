import { expect, test } from "@jest/globals";
import { asLine } from "../../../runtime/protocol/line-text.ts";

test("characters that end a line for some readers are escaped, and nothing else", () => {
  const value = { text: "a\u2028b\u2029c\u0085d\u00e9\ud83d\ude00" };
  const line = asLine(JSON.stringify(value));
  expect(line).toBe('{"text":"a\\u2028b\\u2029c\\u0085d\u00e9\ud83d\ude00"}\n');
  expect(JSON.parse(line)).toEqual(value);
});

test("a usual message is written as it is", () => {
  expect(asLine('{"a":"\u00fc"}')).toBe('{"a":"\u00fc"}\n');
});
