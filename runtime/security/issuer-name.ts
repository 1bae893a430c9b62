/**
 * The form in which two names of one issuer are the same text. Without a path, a slash at the end changes nothing (RFC 3986,
 * section 6.2.3), and servers write both; with a path, issuers are compared as they are.
 */
export function issuerName(issuer: string): string {
  const url = URL.parse(issuer);
  return url !== null && url.pathname === "/" && url.search === "" && url.hash === "" ? url.href : issuer;
}
