/** For which servers a token is good. */
export type AudienceVerdict = "all" | ReadonlySet<string> | undefined;

/**
 * Reads `aud` (RFC 8707, RFC 9068): a configured audience stands for every server; without one, the gateway's own
 * resource does, and a resource below it, `<resource>/<server>`, stands for that server alone. Undefined: not for us.
 */
export function audienceOf(
  aud: unknown,
  configured: readonly string[] | undefined,
  resource: string | undefined,
): AudienceVerdict {
  const named = (Array.isArray(aud) ? aud : [aud]).filter((item): item is string => typeof item === "string");
  if (configured !== undefined) return named.some((item) => configured.includes(item)) ? "all" : undefined;
  if (resource === undefined) return undefined;
  const below = `${resource}/`;
  // Some clients and servers end a URL with a slash.
  if (named.some((item) => item === resource || item === below)) return "all";
  const servers = named
    .filter((item) => item.startsWith(below))
    .map((item) => item.slice(below.length).replace(/\/$/, ""));
  return servers.length === 0 ? undefined : new Set(servers);
}
