import { FleetError } from "../errors.ts";

/** The one reading of a request's target: the guard, the security stages, the router and the REST interface all use it. */
export interface RequestTarget {
  /** Path and query in origin-form, as the router gets them. */
  readonly url: string;
  readonly path: string;
  /** The first segment of the path, which names the interface. */
  readonly room: string;
  /** What follows the first segment: the server of `/mcp/<server>`. Undefined when nothing does. */
  readonly server: string | undefined;
  /** Host and port of a target in absolute-form, which replace the `Host` field (RFC 9112, section 3.2.2). */
  readonly authority: string | undefined;
}

/** Paths at which a slash at the end changes nothing: clients are often configured with one. */
const withSlash = /^\/(?:mcp|sse|ws|messages)\//;
/** A path that has one reading: no escapes, no empty segments, no dot segments. */
const plain = /^\/(?:[\w~!$&'()*+,=:@-][\w.~!$&'()*+,=:@-]*(?:\/(?!$)|$))*$/;
/** Characters of a path (RFC 3986, section 3.3) without ";": some servers cut a segment there. */
const pathCharacters = /^\/[\w.~!$&'()*+,=:@/%-]*$/;
const visible = /^[\x21-\x22\x24-\x7e]*$/;
const unreserved = /^[\w.~-]$/;
/** A tool's name is the one segment that holds any character. */
const toolPath = /^\/api\/v1\/servers\/[^/%]+\/tools\/[^/]+$/;
const absolute = /^https?:\/\/([^/?#]*)(.*)$/i;
/** Longest path that is read once and remembered, and how many are: there are as many as servers, three times over. */
const maxRemembered = 512;
const maxRememberedLength = 128;

/** Reads the targets of one port. Paths that were plain are remembered, so that a call costs one look-up. */
export class RequestTargets {
  readonly #known = new Map<string, RequestTarget>();

  /** Throws INVALID_REQUEST for a target that could be read in two ways. */
  read(text: string): RequestTarget {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const target = readTarget(text);
    if (target.url === text && text === target.path && text.length <= maxRememberedLength) {
      if (this.#known.size >= maxRemembered) this.#known.clear();
      this.#known.set(text, target);
    }
    return target;
  }
}

function readTarget(text: string): RequestTarget {
  const [, authority, behind] = absolute.exec(text) ?? [];
  const origin = behind === undefined ? text : behind.startsWith("/") ? behind : `/${behind}`;
  if (!origin.startsWith("/")) throw wrong("send a path, or a URL that begins with http:// or https://");
  const mark = origin.indexOf("?");
  const query = mark < 0 ? "" : origin.slice(mark);
  if (!visible.test(query)) throw wrong('the query holds a character that must be escaped, or "#"');
  const path = readPath(mark < 0 ? origin : origin.slice(0, mark));
  const slash = path.indexOf("/", 1);
  return {
    url: mark < 0 && path === origin ? origin : path + query,
    path,
    room: slash < 0 ? path.slice(1) : path.slice(1, slash),
    server: slash < 0 ? undefined : path.slice(slash + 1),
    authority,
  };
}

/** Unreserved characters are decoded, as RFC 3986 (section 6.2.2) has it; what is then left of escapes is data. */
function readPath(raw: string): string {
  if (plain.test(raw)) return raw;
  if (!pathCharacters.test(raw)) throw wrong("the path holds a character that must be escaped");
  const decoded = raw.replace(/%(.{0,2})/g, (written, digits: string) => {
    if (!/^[0-9a-f]{2}$/i.test(digits)) throw wrong('the path holds a "%" without two hexadecimal digits');
    const code = Number.parseInt(digits, 16);
    if (code < 0x20 || code === 0x7f) throw wrong("the path holds an escaped control character");
    const character = String.fromCharCode(code);
    return unreserved.test(character) ? character : written.toUpperCase();
  });
  const path = withSlash.test(decoded) ? decoded.replace(/\/$/, "") : decoded;
  const segments = decoded.slice(1).split("/");
  if (segments.includes(".") || segments.includes("..")) throw wrong('the path holds a segment "." or ".."');
  if (segments.length > 1 && segments.slice(0, -1).includes("")) throw wrong("the path holds an empty segment");
  if (path.includes("%") && !toolPath.test(path)) throw wrong("the path holds an escape that is not needed");
  return path;
}

const wrong = (problem: string) => new FleetError("INVALID_REQUEST", `Bad request target: ${problem}`);
