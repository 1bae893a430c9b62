import type { ResourceUrls } from "./resource-urls.ts";

/** For which servers a token is good. */
export type AudienceVerdict = "all" | ReadonlySet<string> | undefined;

/** Some clients and servers end a URL with a slash. */
const plain = (text: string): string => text.replace(/\/$/, "");

/**
 * Reads `aud` (RFC 8707, RFC 9068): a configured audience stands for every server; without one, the gateway's own
 * resources do, and a resource below them, `<resource>/<server>`, stands for that server alone. Undefined: not for us.
 */
export function audienceOf(
  aud: unknown,
  configured: readonly string[] | undefined,
  resources: ResourceUrls | undefined,
): AudienceVerdict {
  const named = (Array.isArray(aud) ? aud : [aud]).filter((item) => typeof item === "string").map(plain);
  if (configured !== undefined) return configured.some((item) => named.includes(plain(item))) ? "all" : undefined;
  if (resources === undefined) return undefined;
  const servers = new Set<string>();
  for (const resource of [resources.mcp, resources.sse]) {
    if (resource === undefined) continue;
    if (named.includes(resource)) return "all";
    for (const item of named) if (item.startsWith(`${resource}/`)) servers.add(item.slice(resource.length + 1));
  }
  return servers.size === 0 ? undefined : servers;
}
