/** Codes of the characters that structure JSON (RFC 8259, 2). */
export const quote = 34;
export const comma = 44;
export const colon = 58;
const backslash = 92;
export const openObject = 123;
export const closeObject = 125;
const openList = 91;
const closeList = 93;
const blank = 32;

/** The first place from `at` on without a blank. */
export function behindBlanks(text: string, at: number): number {
  let behind = at;
  while (text.charCodeAt(behind) === blank) behind += 1;
  return behind;
}

/** Brackets that are open at a place: a bit for each, a list being 1. */
const bitsOfBrackets = 30;
/** What nests deeper is not followed: `JSON.stringify` throws at some thousands of levels. */
const maxDepth = 1024;

/**
 * Most characters outside of strings that are followed in one value: they take a twentieth of a second, in which nobody else
 * is served. A result with more of them is refused. Text inside of strings does not count.
 */
export const maxFollowed = 8 * 1024 * 1024;
/** What finding the end of a string costs, in characters: short ones count whole. */
const stringCost = 16;

/** Is it one of the digits from 0 to 9? */
export const isDigit = (code: number): boolean => code >= 48 && code <= 57;

/** White space of JSON (RFC 8259, 2). */
const isSpace = (code: number): boolean => code === blank || code === 10 || code === 13 || code === 9;

/**
 * Can it stand behind a string? Two messages that a server has written into each other can have their brackets and quotes in
 * balance; what follows their strings tells that they are no JSON.
 */
const followsString = (code: number): boolean =>
  code === comma || code === colon || code === closeObject || code === closeList || isSpace(code);

/**
 * Where the value that begins at `from` ends; -1 when it does not, is empty, closes a bracket with one of the other kind,
 * has a string that nothing of JSON follows, nests deeper than 1024 levels, or has more than `maxFollowed` characters outside of
 * its strings.
 */
export function valueEnd(text: string, from: number): number {
  const first = text.charCodeAt(from);
  if (first === quote) return stringEnd(text, from);
  let depth = 0;
  let open = 0;
  // Those further out, of a value that nests deep.
  let outer: number[] | undefined;
  let last = from + maxFollowed;
  for (let at = from; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (at > last) return -1;
    if (code === quote) {
      const end = stringEnd(text, at) - 1;
      if (end < 0) return -1;
      last += Math.max(end - at - stringCost, 0);
      at = end;
      if (depth > 0 && !followsString(text.charCodeAt(at + 1))) return -1;
    } else if (code === openObject || code === openList) {
      if (depth === maxDepth) return -1;
      if (depth > 0 && depth % bitsOfBrackets === 0) {
        outer ??= [];
        outer.push(open);
        open = 0;
      }
      open = (open << 1) | (code === openList ? 1 : 0);
      depth += 1;
    } else if (code === closeObject || code === closeList) {
      if (depth === 0) return at === from ? -1 : at;
      if ((open & 1) !== (code === closeList ? 1 : 0)) return -1;
      open >>>= 1;
      depth -= 1;
      if (depth === 0) return at + 1;
      if (depth % bitsOfBrackets === 0) open = outer?.pop() ?? 0;
    } else if (depth === 0 && (code === comma || code === blank)) return at === from ? -1 : at;
  }
  return -1;
}

/** Strings longer than this are searched for their end by native code, which costs more to begin with. */
const shortString = 64;
const scratch = new Uint8Array(maxDepth);

/**
 * Is what stands from `from` on one object, list or string, and behind it the closing bracket of the object around it and no more?
 * Brackets and quotes are followed. No for a string that nothing of JSON follows, for what nests deeper than 1024 levels, and for
 * more than `maxFollowed` characters outside of strings.
 */
export function closesAtEnd(bytes: Buffer, from: number): boolean {
  const last = bytes.length - 1;
  let depth = 0;
  let furthest = from + maxFollowed;
  for (let at = from; at < last; at += 1) {
    const code = bytes[at] as number;
    if (at > furthest) return false;
    if (code === quote) {
      const end = bytesStringEnd(bytes, at + 1);
      if (end < 0) return false;
      furthest += Math.max(end - at - stringCost, 0);
      at = end;
      if (depth === 0) return at + 1 === last && bytes[last] === closeObject;
      if (!followsString(bytes[at + 1] as number)) return false;
    } else if (code === openObject || code === openList) {
      if (depth === scratch.length) return false;
      // The closing bracket is two characters behind the opening one (ASCII).
      scratch[depth] = code + 2;
      depth += 1;
    } else if (code === closeObject || code === closeList) {
      depth -= 1;
      if (depth < 0 || scratch[depth] !== code) return false;
      if (depth === 0) return at + 1 === last && bytes[last] === closeObject;
    } else if (depth === 0) return false;
  }
  return false;
}

/** The place of the quote that ends the string whose first byte is at `from`; -1 when there is none. */
function bytesStringEnd(bytes: Buffer, from: number): number {
  let plain = 0;
  for (let at = from; at < bytes.length; at += 1) {
    const code = bytes[at];
    if (code === quote) return at;
    if (code === backslash) {
      at += 1;
      plain = 0;
    } else if (plain < shortString) plain += 1;
    else {
      const end = bytes.indexOf(quote, at);
      if (end < 0) return -1;
      const escaped = bytes.subarray(at, end).indexOf(backslash);
      if (escaped < 0) return end;
      at += escaped - 1;
      plain = 0;
    }
  }
  return -1;
}

/** A string with more quotes inside is followed character by character, which costs less for each of them. */
const fewQuotes = 16;

/** Behind the closing quote of the string that begins at `from`; -1 when it does not end. */
export function stringEnd(text: string, from: number): number {
  let end = from;
  for (let quotes = 0; quotes < fewQuotes; quotes += 1) {
    end = text.indexOf('"', end + 1);
    if (end < 0) return -1;
    let escapes = 0;
    while (text.charCodeAt(end - 1 - escapes) === backslash) escapes += 1;
    if (escapes % 2 === 0) return end + 1;
  }
  for (let at = end + 1; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === quote) return at + 1;
    if (code === backslash) at += 1;
  }
  return -1;
}

/** Members of a result that are told apart without a parse; results have a handful. */
const maxNames = 1000;

/**
 * The names of an object's own members, in order; undefined for what is no object, has a name with an escape, or has more
 * than `maxNames` members.
 */
export function memberNames(text: string): string[] | undefined {
  if (text.charCodeAt(0) !== openObject) return undefined;
  const names: string[] = [];
  let at = behindBlanks(text, 1);
  if (text.charCodeAt(at) === closeObject) return names;
  for (;;) {
    const end = text.charCodeAt(at) === quote ? stringEnd(text, at) : -1;
    if (end < 0) return undefined;
    const name = text.slice(at + 1, end - 1);
    const colonAt = behindBlanks(text, end);
    const behind = valueEnd(text, behindBlanks(text, colonAt + 1));
    if (name.includes("\\") || text.charCodeAt(colonAt) !== colon || behind < 0 || names.length === maxNames)
      return undefined;
    names.push(name);
    at = behindBlanks(text, behind);
    if (text.charCodeAt(at) === closeObject) return names;
    if (text.charCodeAt(at) !== comma) return undefined;
    at = behindBlanks(text, at + 1);
  }
}

function behindSpace(text: string, at: number): number {
  let behind = at;
  while (isSpace(text.charCodeAt(behind))) behind += 1;
  return behind;
}

/**
 * The text of an object's member, for what a parser makes equal (`7`, `7.0`). Undefined when there is none, when there are
 * several, when a name before it has an escape, and for what is no object. Stops where the text is broken: a member before
 * that is found.
 */
export function memberText(text: string, name: string): string | undefined {
  let found: string | undefined;
  let at = behindSpace(text, 0);
  if (text.charCodeAt(at) !== openObject) return undefined;
  at = behindSpace(text, at + 1);
  while (text.charCodeAt(at) === quote) {
    const end = stringEnd(text, at);
    const colonAt = behindSpace(text, end);
    if (end < 0 || text.charCodeAt(colonAt) !== colon) return found;
    const key = text.slice(at + 1, end - 1);
    if (key.includes("\\")) return undefined;
    const from = behindSpace(text, colonAt + 1);
    const behind = valueEnd(text, from);
    if (behind < 0) return found;
    if (key === name) {
      if (found !== undefined) return undefined;
      found = text.slice(from, behind).trimEnd();
    }
    at = behindSpace(text, behind);
    if (text.charCodeAt(at) !== comma) return found;
    at = behindSpace(text, at + 1);
  }
  return found;
}

/** The texts of an array's elements; undefined for what is no array, or is broken. */
export function elementTexts(text: string): string[] | undefined {
  let at = behindSpace(text, 0);
  if (text.charCodeAt(at) !== openList) return undefined;
  at = behindSpace(text, at + 1);
  const elements: string[] = [];
  if (text.charCodeAt(at) === closeList) return elements;
  for (;;) {
    const end = valueEnd(text, at);
    if (end < 0) return undefined;
    elements.push(text.slice(at, end));
    at = behindSpace(text, end);
    if (text.charCodeAt(at) === closeList) return elements;
    if (text.charCodeAt(at) !== comma) return undefined;
    at = behindSpace(text, at + 1);
  }
}
