import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { memberNames } from "../../../runtime/protocol/json-scan.ts";

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
