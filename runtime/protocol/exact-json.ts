import { randomBytes } from "node:crypto";
import { ExactNumber } from "./exact-number.ts";
import { isDigit, quote, stringEnd } from "./json-scan.ts";
import { shapeOf } from "./json-shape.ts";

const plus = 43;
const minus = 45;
const dot = 46;
const zero = 48;

/** Digits of a whole number that every double keeps. */
const keptDigits = 15;

/** Stands before a number that waits in a string. Nobody else knows it, so that no other string begins with it. */
const mark = randomBytes(9).toString("base64url");

/**
 * `JSON.parse`, but a number that a double does not keep is an `ExactNumber`. A reviver with `context.source` does the same at
 * fifteen times the price of a plain parse. Recursive: not for texts that can nest without end. `exact`: whether there can be such
 * a number, for who has looked at the text already.
 */
export function parseJson(text: string, exact = shapeOf(text).exact): unknown {
  // Also finds out whether it is JSON at all; what follows relies on that.
  const value: unknown = JSON.parse(text);
  if (!exact) return value;
  const marked = withMarks(text);
  return marked === text ? value : withoutMarks(JSON.parse(marked));
}

/** The text with a string in place of each number that a double does not keep; the text itself where there is none. */
function withMarks(text: string): string {
  let marked = "";
  let done = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === quote) at = stringEnd(text, at) - 1;
    else if (code === minus || isDigit(code)) {
      const end = numberEnd(text, at);
      if (!isKept(text, at, end)) {
        marked += `${text.slice(done, at)}"${mark}${text.slice(at, end)}"`;
        done = end;
      }
      at = end - 1;
    }
  }
  return done === 0 ? text : marked + text.slice(done);
}

/** Behind the number that begins at `from`. Whatever else its characters could be stands in no JSON text. */
function numberEnd(text: string, from: number): number {
  let end = from + 1;
  for (; end < text.length; end += 1) {
    const code = text.charCodeAt(end);
    if (isDigit(code) || code === dot || code === plus || code === minus) continue;
    // `e` and `E`
    if ((code | 32) !== 101) return end;
  }
  return end;
}

/** Is a number written by JavaScript as it stands there? Most are told without a conversion, which takes a microsecond. */
function isKept(text: string, from: number, end: number): boolean {
  const first = text.charCodeAt(from) === minus ? from + 1 : from;
  let at = first;
  while (at < end && isDigit(text.charCodeAt(at))) at += 1;
  const short = end - first <= keptDigits;
  if (at === end && short) return first === from || text.charCodeAt(first) !== zero;
  if (text.charCodeAt(at) === dot) {
    const fraction = at + 1;
    at = fraction;
    while (at < end && isDigit(text.charCodeAt(at))) at += 1;
    if (at === end && text.charCodeAt(end - 1) === zero) return false;
    // What is smaller than a millionth is written with an exponent.
    if (at === end && short && !text.startsWith("000000", fraction)) return true;
  }
  const number = text.slice(from, end);
  return String(Number(number)) === number;
}

/** The value with the numbers in their places again. Changes it. */
function withoutMarks(value: unknown): unknown {
  if (typeof value === "string") return value.startsWith(mark) ? new ExactNumber(value.slice(mark.length)) : value;
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    for (let at = 0; at < value.length; at += 1) value[at] = withoutMarks(value[at]);
    return value;
  }
  const members = value as Record<string, unknown>;
  for (const key of Object.keys(members)) {
    const member = members[key];
    const unmarked = withoutMarks(member);
    // A member that is there is written, also one that is called `__proto__`.
    if (unmarked !== member) members[key] = unmarked;
  }
  return value;
}
