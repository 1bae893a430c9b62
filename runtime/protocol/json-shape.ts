import { isDigit, stringEnd } from "./json-scan.ts";

/**
 * Deepest nesting of arrays and objects in a message: some parsers end their process at a thousand levels, and
 * `JSON.stringify` throws at some thousands.
 */
const maxNesting = 512;
/**
 * Most values in a text that is parsed here. A value costs two bytes on the wire, up to a hundred in memory, and up to a
 * microsecond in which nobody else is served: 64 MiB of `[],[],…` would take gigabytes and many seconds.
 */
export const maxValues = 250_000;

/**
 * Most arrays, objects and members of objects in a message of a client. Reading, comparing and writing them takes time in which
 * nothing else runs: a second for the two million that fit into a body of the default size. Texts and numbers do not count.
 */
export const maxParts = 100_000;

/** A text that is shorter than this can have neither flaw. */
const shortest = Math.min(2 * maxNesting, 2 * maxValues);

/** What a look at a JSON text has found before its parse. */
export interface Shape {
  /** Why it must not be parsed; undefined when it can be. */
  readonly flaw: string | undefined;
  /** It can have numbers whose digits a double does not keep. */
  readonly exact: boolean;
}

const plain: Shape = { flaw: undefined, exact: false };
const withExact: Shape = { flaw: undefined, exact: true };

/**
 * Holds for each text with a number that has a fraction, an exponent, sixteen digits, or a sign before a zero. Few others have
 * it, those with such a number in a string.
 */
const longNumber = /(?:^|[:,[ \n\r\t])(?:-0|[-0-9][0-9]*[.eE]|[-0-9][0-9]{15})/;

/** As `shapeFlaw`, in the same look. */
export function shapeOf(text: string, mostParts = Number.POSITIVE_INFINITY): Shape {
  if (text.length <= shortest) return longNumber.test(text) ? withExact : plain;
  let depth = 0;
  let values = 1;
  let parts = 0;
  let exact = false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0x22) {
      at = stringEnd(text, at) - 1;
      if (at < 0) return plain;
    } else if (code === 0x5b || code === 0x7b) {
      depth += 1;
      values += 1;
      parts += 1;
      if (depth > maxNesting) return { flaw: `it nests deeper than ${maxNesting} levels`, exact };
    } else if (code === 0x5d || code === 0x7d) depth -= 1;
    else if (code === 0x2c) values += 1;
    else if (code === 0x3a) parts += 1;
    else if (isDigit(code)) {
      const first = at;
      while (isDigit(text.charCodeAt(at + 1))) at += 1;
      exact ||=
        at - first > 14 || isPart(text.charCodeAt(at + 1)) || (code === 0x30 && text.charCodeAt(first - 1) === 0x2d);
      continue;
    }
    if (values > maxValues) return { flaw: `it has more than ${maxValues} values`, exact };
    if (parts > mostParts)
      return { flaw: `it has more than ${mostParts} arrays, objects and members of objects`, exact };
  }
  return exact ? withExact : plain;
}

/** A fraction or an exponent follows. */
const isPart = (code: number): boolean => code === 0x2e || (code | 0x20) === 0x65;

/**
 * Why a JSON text must not be parsed: it nests too deep, has too many values, or more than `mostParts` arrays, objects and
 * members (any number by default). Undefined when it can be.
 */
export const shapeFlaw = (text: string, mostParts?: number): string | undefined =>
  text.length <= shortest ? undefined : shapeOf(text, mostParts).flaw;

/** How many values a JSON text has, nearly: commas and opening brackets outside of strings. */
export function valuesIn(text: string): number {
  let values = 1;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0x22) {
      at = stringEnd(text, at) - 1;
      if (at < 0) return values;
    } else if (code === 0x5b || code === 0x7b || code === 0x2c) values += 1;
  }
  return values;
}
