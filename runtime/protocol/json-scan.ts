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

/** Where the value that begins at `from` ends; -1 when it does not, or is empty. */
export function valueEnd(text: string, from: number): number {
  const first = text.charCodeAt(from);
  if (first === quote) return stringEnd(text, from);
  let depth = 0;
  for (let at = from; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === quote) {
      at = stringEnd(text, at) - 1;
      if (at < 0) return -1;
    } else if (code === openObject || code === openList) depth += 1;
    else if (code === closeObject || code === closeList) {
      if (depth === 0) return at === from ? -1 : at;
      depth -= 1;
      if (depth === 0) return at + 1;
    } else if (depth === 0 && (code === comma || code === blank)) return at === from ? -1 : at;
  }
  return -1;
}

/** Behind the closing quote of the string that begins at `from`; -1 when it does not end. */
function stringEnd(text: string, from: number): number {
  for (let end = text.indexOf('"', from + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let escapes = 0;
    while (text.charCodeAt(end - 1 - escapes) === backslash) escapes += 1;
    if (escapes % 2 === 0) return end + 1;
  }
  return -1;
}

/** The names of an object's own members, in order; undefined for what is no object or has a name with an escape. */
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
    if (name.includes("\\") || text.charCodeAt(colonAt) !== colon || behind < 0) return undefined;
    names.push(name);
    at = behindBlanks(text, behind);
    if (text.charCodeAt(at) === closeObject) return names;
    if (text.charCodeAt(at) !== comma) return undefined;
    at = behindBlanks(text, at + 1);
  }
}
