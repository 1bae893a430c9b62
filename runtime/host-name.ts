/** The host of a URL without the brackets of an IPv6 address, as sockets and resolvers take it. */
export const bareHost = (hostname: string): string => hostname.replace(/^\[|\]$/g, "");

/** A name or an address as it stands in a URL: an IPv6 address has brackets (RFC 3986, section 3.2.2). */
export const bracketed = (host: string): string => (host.includes(":") ? `[${host}]` : host);
