/** Schemes whose port may be left out (RFC 3986, 6.2.3; WHATWG URL, 3.1). */
const defaultPorts: Readonly<Record<string, string>> = { "http:": "80", "https:": "443", "ws:": "80", "wss:": "443" };

/** Scheme, authority with its slashes, path, query and fragment (RFC 3986, appendix B). */
const parts = /^([A-Za-z][A-Za-z0-9+.-]*:)?(\/\/[^/?#]*)?([^?#]*)(.*)$/s;

/**
 * The form in which equal URIs are equal texts (RFC 3986, 6.2.2): scheme and host in lower case, unreserved characters
 * not encoded, other encodings in upper case, no dot segments; what no URI may hold is encoded as UTF-8. Serves to
 * compare, patterns with `*` too; a URI is relayed as it came. A text without a scheme is treated as a path.
 */
export function normalUri(text: string): string {
  const [, scheme = "", authority = "", path = "", rest = ""] = parts.exec(encoded(text)) ?? [];
  const lower = scheme.toLowerCase();
  const host = authority && normalAuthority(authority, lower);
  const segments = withoutDots(path);
  // Of these, an empty path is the root (6.2.3).
  const root = segments === "" && host !== "" && lower in defaultPorts ? "/" : segments;
  return lower + host + root + rest;
}

/**
 * Why a URI names different things to different readers; undefined when it does not. A server that decodes `%2F` before
 * it follows dots, takes `\` for `/`, or takes the host for the first folder of a path would read what no rule has seen.
 */
export function ambiguityOf(uri: string): string | undefined {
  if (!/^[A-Za-z][A-Za-z0-9+.-]*:/.test(uri)) return "has no scheme";
  // Who reads a resource reads all of it (RFC 3986, 3.5): a rule about the resource would not be compared with it.
  if (uri.includes("#")) return "has a fragment; leave it out";
  if (uri.includes("\\")) return "has a backslash; write a slash";
  if (/%(?![0-9A-Fa-f]{2})/.test(uri)) return "has a percent sign that encodes nothing; write %25";
  const [, , , path = ""] = parts.exec(encoded(uri)) ?? [];
  if (climbs(path)) return "has dot segments that lead above its root";
  const decoded = path.replace(/%2F|%5C/g, "/");
  if (decoded !== path && /(?:^|\/)\.{1,2}(?:\/|$)/.test(decoded)) return "has dot segments beside an encoded slash";
  return undefined;
}

function climbs(path: string): boolean {
  let depth = path.startsWith("/") ? -1 : 0;
  for (const segment of path.split("/")) {
    if (segment === "..") {
      if (depth <= 0) return true;
      depth -= 1;
    } else if (segment !== ".") depth += 1;
  }
  return false;
}

/** Percent-encoding in its normal form (6.2.2.1, 6.2.2.2). */
function encoded(text: string): string {
  return text
    .toWellFormed()
    .replace(/[^\x21-\x7e]|[<>"`{}|^\\]/gu, (character) => encodeURIComponent(character))
    .replace(/%([0-9A-Fa-f]{2})/g, (triplet, digits: string) => {
      const character = String.fromCharCode(Number.parseInt(digits, 16));
      return /[A-Za-z0-9._~-]/.test(character) ? character : triplet.toUpperCase();
    });
}

function normalAuthority(authority: string, scheme: string): string {
  const at = authority.lastIndexOf("@") + 1;
  const host = authority.slice(Math.max(at, 2)).toLowerCase();
  const colon = host.lastIndexOf(":");
  const port = host.slice(colon + 1);
  const usual = colon >= 0 && (port === "" || port === defaultPorts[scheme]) && !host.endsWith("]");
  return authority.slice(0, Math.max(at, 2)) + (usual ? host.slice(0, colon) : host);
}

/** RFC 3986, 5.2.4, also for a path that does not begin with a slash. */
function withoutDots(path: string): string {
  if (!path.includes("./") && !path.endsWith(".")) return path;
  const kept: string[] = [];
  const segments = path.split("/");
  const rooted = segments[0] === "" ? 1 : 0;
  segments.forEach((segment, index) => {
    const last = index === segments.length - 1;
    if (segment === "..") {
      if (kept.length > rooted) kept.pop();
      if (last) kept.push("");
    } else if (segment !== ".") kept.push(segment);
    else if (last) kept.push("");
  });
  return kept.join("/");
}
