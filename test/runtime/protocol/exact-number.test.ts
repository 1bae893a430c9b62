import { describe, expect, test } from "@jest/globals";
import { ExactNumber, isObject, keyOf, plainNumber, withNumbers } from "../../../runtime/protocol/exact-number.ts";

const long = new ExactNumber("2047948614742839297");

test("it is written as it came, and calculated with as the nearest double", () => {
  expect(JSON.stringify({ id: long, list: [new ExactNumber("-0")] })).toBe('{"id":2047948614742839297,"list":[-0]}');
  expect(`${long}`).toBe("2047948614742839297");
  expect([plainNumber(long), Number(long)]).toEqual([2047948614742839300, 2047948614742839300]);
  expect([plainNumber("1.0"), plainNumber(7), plainNumber(undefined)]).toEqual(["1.0", 7, undefined]);
});

test.each([
  ["7.0", 7],
  ["7e0", 7],
  ["-0", -0],
  ["9007199254740993", 9007199254740993n],
  ["-9007199254740993", -9007199254740993n],
  ["1e400", Number.POSITIVE_INFINITY],
  ["0.10", 0.1],
])("the key of %s", (text, key) => {
  expect(keyOf(new ExactNumber(text))).toBe(key);
});

test("ids that differ in their last digit are different ones", () => {
  const ids = new Map([[keyOf(long), 1]]);
  expect(ids.get(keyOf(new ExactNumber("2047948614742839297")))).toBe(1);
  expect(ids.has(keyOf(new ExactNumber("2047948614742839298")))).toBe(false);
  expect(ids.has(keyOf("2047948614742839297"))).toBe(false);
});

test("it is no object", () => {
  expect([{}, [], null, undefined, 1, "", long].map(isObject)).toEqual([true, ...Array(6).fill(false)]);
});

describe("withNumbers", () => {
  test("is the value itself where there is none", () => {
    const value = { a: [1, { b: "2.0" }], c: null };
    expect(withNumbers(value)).toBe(value);
  });

  test("copies what leads to one, and nothing else", () => {
    const kept = { x: 1 };
    const value = { a: [kept, { b: long }], c: new ExactNumber("1.0"), ["__proto__"]: new ExactNumber("2.0") };
    const plain = withNumbers(value) as typeof value;
    expect(JSON.stringify(plain)).toBe('{"a":[{"x":1},{"b":2047948614742839300}],"c":1,"__proto__":2}');
    expect(plain.a[0]).toBe(kept);
    expect(value.c).toBeInstanceOf(ExactNumber);
    expect(withNumbers([long], (number) => number.key)).toEqual([2047948614742839297n]);
  });
});
