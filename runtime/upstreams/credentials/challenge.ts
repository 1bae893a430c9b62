/** What a server wants, as its `WWW-Authenticate: Bearer` says (RFC 6750, 3; RFC 9728, 5.1). */
export interface Challenge {
  readonly error: string | undefined;
  readonly scopes: readonly string[];
  /** Where the server's metadata is (RFC 9728). */
  readonly resourceMetadata: string | undefined;
}

const bearer = /(?:^|,)\s*bearer(?=\s|$)/i;
const parameter = /([A-Za-z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/g;
/** Longer headers are no challenge but an attempt. */
const maxLength = 8192;

/** Reads the bearer challenge among those of a header; of a parameter that comes twice the first one counts. */
export function bearerChallenge(header: string | undefined): Challenge {
  const text = header === undefined || header.length > maxLength ? "" : header;
  const begin = bearer.exec(text);
  const found = new Map<string, string>();
  for (const [, name = "", quoted, plain = ""] of begin === null ? [] : text.slice(begin.index).matchAll(parameter)) {
    const key = name.toLowerCase();
    if (!found.has(key)) found.set(key, quoted?.replace(/\\(.)/g, "$1") ?? plain);
  }
  return {
    error: found.get("error"),
    scopes: scopesOf(found.get("scope")),
    resourceMetadata: found.get("resource_metadata"),
  };
}

/** The scopes of a space-separated list (RFC 6749, 3.3). */
export const scopesOf = (text: string | undefined): readonly string[] =>
  text === undefined ? [] : text.split(" ").filter((scope) => scope !== "");
