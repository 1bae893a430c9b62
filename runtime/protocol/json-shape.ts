import { stringEnd } from "./json-scan.ts";

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

/**
 * Why a JSON text must not be parsed: it nests too deep, has too many values, or more than `mostParts` arrays, objects and
 * members (any number by default). Undefined when it can be.
 */
export function shapeFlaw(text: string, mostParts = Number.POSITIVE_INFINITY): string | undefined {
  if (text.length <= shortest) return undefined;
  let depth = 0;
  let values = 1;
  let parts = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0x22) {
      at = stringEnd(text, at) - 1;
      if (at < 0) return undefined;
    } else if (code === 0x5b || code === 0x7b) {
      depth += 1;
      values += 1;
      parts += 1;
      if (depth > maxNesting) return `it nests deeper than ${maxNesting} levels`;
    } else if (code === 0x5d || code === 0x7d) depth -= 1;
    else if (code === 0x2c) values += 1;
    else if (code === 0x3a) parts += 1;
    if (values > maxValues) return `it has more than ${maxValues} values`;
    if (parts > mostParts) return `it has more than ${mostParts} arrays, objects and members of objects`;
  }
  return undefined;
}

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
