import fc from "fast-check";

declare global {
  interface JSON {
    parse(
      text: string,
      reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
    ): unknown;
  }
}

/** A JSON text as a value in which each number is its own text: equal for texts that say the same with the same digits. */
export const exactly = (text: string): unknown =>
  JSON.parse(text, (_key, value, { source }) => (typeof value === "number" ? new Digits(source as string) : value));

class Digits {
  readonly digits: string;

  constructor(digits: string) {
    this.digits = digits;
  }
}

const digits = (least: number, most: number) =>
  fc.array(fc.integer({ min: 0, max: 9 }), { minLength: least, maxLength: most }).map((all) => all.join(""));
const whole = fc.oneof(
  fc.constantFrom("0", "2047948614742839297", "9223372036854775807", "18446744073709551615", "9007199254740993"),
  fc.tuple(fc.integer({ min: 1, max: 9 }), digits(0, 40)).map(([first, rest]) => `${first}${rest}`),
);
const fraction = fc.oneof(
  fc.constantFrom("", ".0", ".5", ".10", ".0000001"),
  digits(1, 30).map((all) => `.${all}`),
);
const exponent = fc.oneof(
  fc.constant(""),
  fc
    .tuple(fc.constantFrom("e", "E"), fc.constantFrom("", "+", "-"), fc.constantFrom("0", "1", "07", "22", "400"))
    .map((parts) => parts.join("")),
);

/** The text of a number (RFC 8259, 6). */
export const numberText: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom("-0", "0", "1.0", "-0.0", "1e400", "-1E-400", "0.1", "1e21", "5e-324"),
  fc.tuple(fc.constantFrom("", "-"), whole, fraction, exponent).map((parts) => parts.join("")),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
);

/** A text in quotes. Some readers of lines take two characters for ends of a line: these are left out. */
const written = (text: string): string => JSON.stringify(text.replace(/[\u2028\u2029]/g, ""));

const space = fc.constantFrom("", "", "", " ", "\t", "  ");
const name = fc.oneof(
  fc.constantFrom('"a"', '"a"', '"__proto__"', '"constructor"', '"toJSON"', '"rawJSON"', '"0"', '"7"', '"\\u0061"'),
  fc.string({ unit: "binary", maxLength: 8 }).map(written),
);
const word = fc.oneof(
  fc.constantFrom("null", "true", "false", '"1.0"', '": 1.0,"', '"\\"1e400"', '"\\\\"', '"\\ud83d\\ude00"'),
  fc.string({ unit: "grapheme", maxLength: 20 }).map(written),
);

/** JSON texts as peers write them: numbers of any length, names that come twice or mean something to JavaScript, spaces, nesting. */
export const jsonText: fc.Arbitrary<string> = fc.letrec<{ value: string; list: string; object: string }>((tie) => ({
  value: fc.oneof({ maxDepth: 4 }, numberText, word, tie("list"), tie("object")),
  list: fc
    .tuple(space, fc.array(tie("value"), { maxLength: 5 }))
    .map(([blank, items]) => `[${blank}${items.join(`${blank},`)}${blank}]`),
  object: fc
    .tuple(space, fc.array(fc.tuple(name, tie("value")), { maxLength: 5 }))
    .map(
      ([blank, members]) => `{${members.map(([key, value]) => `${blank}${key}${blank}:${blank}${value}`).join(",")}}`,
    ),
})).value;

/** Deep, but not deeper than the gateway takes. */
export const deepText = (levels: number, inner: string): string =>
  `${'{"a":['.repeat(levels / 2)}${inner}${"]}".repeat(levels / 2)}`;
