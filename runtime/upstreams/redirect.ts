import { shownAddress } from "../config/shown-source.ts";
import { excerpt } from "../secret-guard.ts";

/** Redirects that one request follows. */
export const maxRedirects = 5;
/** Characters of an address in an error. */
const maxShown = 300;

/** Where a server sends a request on to (RFC 9110, section 15.4). */
export interface Redirect {
  readonly status: number;
  readonly to: URL;
  /**
   * Method and body stay as they are, and the server is the same one: nobody else gets the body or its credentials
   * (307 and 308 within an origin).
   */
  readonly followed: boolean;
}

/** What an answer to a request for `from` redirects to; undefined for an answer that does not redirect. */
export function redirectOf(status: number, location: string | undefined, from: URL): Redirect | undefined {
  if (status < 300 || status > 399 || location === undefined || !URL.canParse(location, from.href)) return undefined;
  const to = new URL(location, from);
  // A server of WebSocket answers the upgrade by HTTP, and names addresses of HTTP.
  if (from.protocol.startsWith("ws")) to.protocol = to.protocol.replace(/^http/, "ws");
  const same = to.protocol === from.protocol && to.host === from.host;
  return { status, to, followed: same && (status === 307 || status === 308) };
}

/** What is wrong, for people. Segments of the path that were configured can be keys, as in `shownAddress`. */
export function redirectText(from: URL, { status, to }: Redirect): string {
  const configured = new Set(from.pathname.split("/"));
  const segments = to.pathname.split("/");
  const path = segments.map((one) => (configured.has(one) ? shownAddress(`/${one}`).slice(1) : one)).join("/");
  const address = excerpt(`${to.protocol}//${to.host}${path}`, maxShown);
  return `sends requests on to ${address} (HTTP ${status}); write that in endpoints of this server`;
}

/** Where a request is sent again. Throws an Error that says why it is not. */
export function followed(redirect: Redirect, from: URL, times: number): URL {
  if (!redirect.followed) throw new Error(redirectText(from, redirect));
  if (times === maxRedirects) throw new Error(`has sent a request on ${maxRedirects} times; correct its redirects`);
  return redirect.to;
}
