import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { closesAtEnd, memberNames, memberText, valueEnd } from "../../../runtime/protocol/json-scan.ts";

test.each([
  ["{}", []],
  [' { "a" : 1 }', undefined],
  ['{ "a" : {"b":[1,"}"]}, "c":"\\"" , "":null}', ["a", "c", ""]],
  ['{"a":1,"a":2}', ["a", "a"]],
  ["[1]", undefined],
  ['"a"', undefined],
  ['{"\\u0061":1}', undefined],
  ['{"a" 1}', undefined],
  ['{"a":1', undefined],
  ['{"a":}', undefined],
  ['{"a":1,}', undefined],
  ["{1:2}", undefined],
])("%s", (text, names) => {
  expect(memberNames(text)).toEqual(names);
});

test("the names that the parser finds", () => {
  const plain = fc.stringMatching(/^[a-zA-Z_ ]*$/).filter((name) => name !== "__proto__");
  fc.assert(
    fc.property(fc.dictionary(plain, fc.jsonValue()), (value) => {
      expect(new Set(memberNames(JSON.stringify(value)))).toEqual(new Set(Object.keys(value)));
    }),
    { seed: 13, numRuns: 500 },
  );
});

test.each([
  ['{"a":[}', -1],
  ['{"a":[}}', -1],
  ["[{]}", -1],
  [`${"[".repeat(100)}${"]".repeat(100)}`, 200],
  [`${'{"a":['.repeat(100)}${"]}".repeat(100)}`, 800],
  [`${'{"a":['.repeat(100)}${"]}".repeat(60)}}]${"]}".repeat(39)}`, -1],
  // What nests deeper could be parsed, but never be written again.
  [`${"[".repeat(1024)}${"]".repeat(1024)}`, 2048],
  [`${"[".repeat(1025)}${"]".repeat(1025)}`, -1],
])("brackets that do not fit each other end no value: %#", (text, end) => {
  expect(valueEnd(text, 0)).toBe(end);
});

test("for any value the end of its bytes is found, and nothing may stand behind it", () => {
  const long = fc.string({ minLength: 60, maxLength: 400 });
  const value = fc.oneof(fc.dictionary(fc.string(), fc.oneof(fc.jsonValue(), long)), fc.array(long), long);
  fc.assert(
    fc.property(value, fc.constantFrom("", ',"id":9', "}", "]", " "), (result, behind) => {
      const text = `x${JSON.stringify(result)}${behind}}`;
      expect(closesAtEnd(Buffer.from(text), 1)).toBe(behind === "");
    }),
    { seed: 17, numRuns: 500 },
  );
});

test.each(["7}", '{"a":1', '{"a":[}}', '{"a":"b}', '{"a":1}]', `${"[".repeat(1025)}${"]".repeat(1025)}}`])(
  "%s closes nothing at its end",
  (text) => {
    expect(closesAtEnd(Buffer.from(text), 0)).toBe(false);
  },
);

test.each([
  ['{"id":7}', "7"],
  ['{"x":{"id":1},\n "id" : 7.0 , "y":2}', "7.0"],
  ['{"id":"7"}', '"7"'],
  ['{"id":7,"id":8}', undefined],
  ['{"\\u0069d":8,"id":7}', undefined],
  ['{"x":1}', undefined],
  ["[7]", undefined],
  ['{"id":7,"result":{"a":[}}', "7"],
  ['{"id":7,"result":"open}', "7"],
  ['{"result":{"a":[},"id":7}', undefined],
  ['{"id"', undefined],
])("the member of %s", (text, expected) => {
  expect(memberText(text, "id")).toBe(expected);
});
