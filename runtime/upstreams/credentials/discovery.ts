import { type AuthorizationServer, processDiscoveryResponse } from "oauth4webapi";
import { issuerName } from "../../security/issuer-name.ts";
import type { Challenge } from "./challenge.ts";
import type { OAuthHttp } from "./oauth-http.ts";

/** Who gives tokens for a server, and for what. */
export interface AuthorizationContext {
  readonly as: AuthorizationServer;
  /** The server's identifier towards its authorization server (RFC 8707). */
  readonly resource: string;
  /** Scopes that the server says it knows; undefined when it does not say. */
  readonly scopes: readonly string[] | undefined;
}

interface ResourceMetadata {
  readonly resource: string;
  readonly authorization_servers?: readonly string[];
  readonly scopes_supported?: readonly string[];
}

/**
 * Finds the authorization server of an MCP server: by the server's own metadata (RFC 9728), then by that of the
 * authorization server (RFC 8414, OpenID Connect Discovery), whose issuer must be the one that was asked for. `issuer`
 * is the configured one, and then no other is taken. Rejects with an Error that says what is wrong.
 */
export async function discover(
  http: OAuthHttp,
  url: URL,
  challenge: Challenge | undefined,
  issuer: string | undefined,
): Promise<AuthorizationContext> {
  const metadata = await resourceMetadata(http, url, challenge?.resourceMetadata);
  const named = metadata?.authorization_servers ?? [];
  if (issuer !== undefined && named.length > 0 && !named.map(issuerName).includes(issuerName(issuer))) {
    throw new Error(`the server names ${named.slice(0, 3).join(", ")} and not the configured issuer ${issuer}`);
  }
  // Servers of 2025-03-26 have no metadata of their own: their origin is the issuer.
  const as = await authorizationServer(http, issuer ?? named[0] ?? url.origin);
  return { as, resource: metadata?.resource ?? resourceOf(url), scopes: metadata?.scopes_supported };
}

/** The canonical identifier of a server without metadata (basic/authorization, "Resource Parameter"). */
function resourceOf(url: URL): string {
  const path = url.pathname === "/" ? "" : url.pathname;
  return `${url.origin}${path}`;
}

async function resourceMetadata(
  http: OAuthHttp,
  url: URL,
  stated: string | undefined,
): Promise<ResourceMetadata | undefined> {
  const known = `${url.origin}/.well-known/oauth-protected-resource`;
  // Elsewhere it could be about another's resource, or a host that only the gateway reaches (RFC 9728, 3.3 and 7.7).
  if (stated !== undefined && URL.parse(stated)?.origin !== url.origin) {
    throw new Error("resource_metadata, which the server names, is not on the server's own origin");
  }
  const places = stated === undefined ? [...new Set([known + withoutSlash(url.pathname), known])] : [stated];
  for (const place of places) {
    const response = await http.fetch(place, { headers: { accept: "application/json" } }, url.origin);
    if (response.status !== 200) continue;
    // What stands there is not repeated in errors, which callers see.
    const found = (await response.json().catch(() => null)) as Partial<ResourceMetadata> | null;
    if (typeof found?.resource !== "string" || !covers(found.resource, url)) {
      throw new Error("the server's resource metadata is about another resource");
    }
    const { authorization_servers: servers, scopes_supported: scopes } = found;
    if (!isTexts(servers) || !isTexts(scopes)) throw new Error("the server's resource metadata is none of RFC 9728");
    return found as ResourceMetadata;
  }
  if (stated !== undefined) throw new Error("where the server says that its resource metadata is, there is none");
  return undefined;
}

/** The metadata of an issuer, at the places where it may be in the order of the specification. */
export async function authorizationServer(http: OAuthHttp, issuer: string): Promise<AuthorizationServer> {
  const parsed = URL.parse(issuer);
  if (parsed === null || parsed.username !== "" || parsed.password !== "") {
    throw new Error("the authorization server that the server names is no URL of one");
  }
  const { origin, pathname } = parsed;
  const path = withoutSlash(pathname);
  const places = [
    `${origin}/.well-known/oauth-authorization-server${path}`,
    `${origin}/.well-known/openid-configuration${path}`,
    ...(path === "" ? [] : [`${origin}${path}/.well-known/openid-configuration`]),
  ];
  for (const place of places) {
    const response = await http.fetch(place, { headers: { accept: "application/json" } });
    if (response.status === 200) return processDiscoveryResponse(new URL(issuer), response);
  }
  throw new Error(`the authorization server ${issuer} has no metadata`);
}

/** Is `url` the resource itself or below it? */
function covers(resource: string, url: URL): boolean {
  if (!URL.canParse(resource)) return false;
  const { origin, pathname } = new URL(resource);
  const base = withoutSlash(pathname);
  return origin === url.origin && (url.pathname === base || url.pathname.startsWith(`${base}/`) || base === "");
}

const withoutSlash = (path: string): string => path.replace(/\/+$/, "");

const isTexts = (value: unknown): boolean =>
  value === undefined || (Array.isArray(value) && value.every((item) => typeof item === "string"));
