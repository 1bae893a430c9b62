import { existsSync } from "node:fs";
import { isIP } from "node:net";
import { isAbsolute } from "node:path";
import { shownAddress } from "./shown-source.ts";

/** Shorter values, such as ports and log levels, are in too many lines that have nothing to do with them. */
const minLength = 8;
/** Lines of a file and members of a JSON document count as secrets of their own from this length on. */
const minPart = 16;
const hostName = /^(?:[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?\.)+[a-z]{2,}(?::\d{1,5})?$/;
const scheme = /^[A-Za-z][A-Za-z0-9+.-]*:\/\//;
const authorization = /^(?:Bearer|Basic|Token|ApiKey)\s+(\S+)$/i;

/**
 * What of a value that came from a reference must not be shown: the value itself, and the parts of it that are secrets
 * on their own (a token behind `Bearer`, the password and the key of a URL, the lines of a key in PEM). Nothing for
 * values that are plainly none: short ones, host names, addresses without keys, files that exist.
 */
export function secretsIn(value: string): readonly string[] {
  if (value.length < minLength || isPlain(value)) return [];
  const parts = [...partsOf(value)].filter((part) => part !== value && part.length >= minLength && !isPlain(part));
  return [value, ...parts];
}

function isPlain(value: string): boolean {
  if (isIP(value) !== 0 || hostName.test(value)) return true;
  if (scheme.test(value)) return shownAddress(value) === value;
  return isAbsolute(value) && existsSync(value);
}

function* partsOf(value: string): Generator<string> {
  const bearer = authorization.exec(value)?.[1];
  if (bearer !== undefined) yield bearer;
  if (scheme.test(value) && URL.canParse(value)) yield* partsOfUrl(new URL(value));
  if (value.includes("\n")) {
    for (const line of value.split("\n")) if (line.length >= minPart && !line.startsWith("-----")) yield line.trim();
  }
  if (value.startsWith("{")) yield* textsOf(value);
}

function* partsOfUrl({ username, password, pathname, search, searchParams }: URL): Generator<string> {
  for (const part of [username, password, ...pathname.split("/")]) yield decoded(part);
  yield search;
  yield* searchParams.values();
}

function* textsOf(value: string): Generator<string> {
  let document: unknown;
  try {
    document = JSON.parse(value);
  } catch {
    return;
  }
  const open: unknown[] = [document];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next === "string" && next.length >= minPart) yield next;
    else if (typeof next === "object" && next !== null) open.push(...Object.values(next));
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
