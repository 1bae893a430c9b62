import { type Auth, serverNamePattern } from "../config/schema/index.ts";
import type { Room } from "./gatekeeper.ts";
import type { Principal } from "./principal.ts";
import { ResourceScopes } from "./resource-scopes.ts";
import { type ResourceUrls, resourceUrls } from "./resource-urls.ts";
import { union } from "./scopes.ts";

/** Where the metadata of a protected resource is (RFC 9728, section 3). */
export const metadataPath = "/.well-known/oauth-protected-resource";
const serverName = new RegExp(serverNamePattern);
/** What a scope is made of (RFC 6749, section 3.3). */
const scopeToken = /^[\x21\x23-\x5b\x5d-\x7e]+$/;
/** Characters of held scopes that a challenge repeats: proxies bound the headers of answers. */
const maxHeld = 2048;

/** An interface, and the server of `/mcp/<server>` or `/sse/<server>`. */
export interface Place {
  readonly room: Room;
  readonly server: string | undefined;
}

/** The gateway as an OAuth 2.1 resource server: its metadata (RFC 9728) and its challenges (RFC 6750, section 3). */
export class ProtectedResource {
  readonly #auth: Auth;
  readonly #urls: ResourceUrls | undefined;
  readonly #scopes: ResourceScopes;

  constructor(auth: Auth, scopes = new ResourceScopes({ auth, requirements: new Map(), rules: [] })) {
    this.#auth = auth;
    this.#urls = auth.oauth && resourceUrls(auth.oauth.resource);
    this.#scopes = scopes;
  }

  /** The path before `/mcp` as clients write it; empty without one. */
  get prefix(): string {
    const sse = this.#urls?.sse;
    return sse === undefined ? "" : pathOf(sse).replace(/\/sse$/, "");
  }

  /**
   * The metadata document of a well-known path, or undefined when it is not one of ours. Each name that a server can have gets
   * one: it is asked for without a token, and must not tell which servers there are.
   */
  document(path: string): object | undefined {
    const { oauth, jwt = [] } = this.#auth;
    const place = this.#placeOf(path);
    if (oauth === undefined || place === undefined) return undefined;
    const { room, server } = place;
    const scopes = this.#scopes.supported(room, server);
    return {
      resource: server === undefined && room !== "sse" ? oauth.resource : this.#identifier(place),
      authorization_servers: oauth.authorizationServers ?? jwt.map(({ issuer }) => issuer),
      bearer_methods_supported: ["header"],
      ...(scopes.length === 0 ? {} : { scopes_supported: scopes }),
      ...(oauth.documentation === undefined ? {} : { resource_documentation: oauth.documentation }),
    };
  }

  /** `WWW-Authenticate` for a caller that has not proved who it is. `error` as RFC 6750 names it. */
  challenge(place: Place, error?: "invalid_token"): string {
    return this.#bearer(place, error, this.#auth.oauth && this.#scopes.first(place.room, place.server));
  }

  /**
   * `WWW-Authenticate` for a caller whose token has too few scopes. Names those it has besides those it needs: a client that
   * asks for these alone would give up the others (MCP basic/authorization, "Scope Challenge Handling").
   */
  stepUp(place: Place, needed: readonly string[], { scopes }: Principal): string {
    return this.#bearer(place, "insufficient_scope", union(needed, repeatable(scopes)).sort());
  }

  #bearer(place: Place, error: string | undefined, scopes: readonly string[] = []): string {
    const parts: string[] = [];
    if (error !== undefined) parts.push(`error="${error}"`);
    if (this.#urls !== undefined) {
      const { origin, pathname } = new URL(this.#identifier(place));
      parts.push(`resource_metadata="${origin}${metadataPath}${pathname === "/" ? "" : pathname}"`);
    }
    if (scopes.length > 0) parts.push(`scope="${scopes.filter((scope) => scopeToken.test(scope)).join(" ")}"`);
    const bearer = parts.length === 0 ? "Bearer" : `Bearer ${parts.join(", ")}`;
    return this.#auth.basic === undefined ? bearer : `${bearer}, Basic realm="mcp-fleet", charset="UTF-8"`;
  }

  /** The identifier of a place. A path says what it likes: what can be no server is answered as the interface. */
  #identifier({ room, server }: Place): string {
    const { mcp, sse } = this.#urls as ResourceUrls;
    const base = room === "sse" && sse !== undefined ? sse : mcp;
    return server !== undefined && serverName.test(server) ? `${base}/${server}` : base;
  }

  /** What a well-known path is about: the path of an identifier, or the gateway's own where a proxy removes the prefix. */
  #placeOf(path: string): Place | undefined {
    if (this.#urls === undefined || !path.startsWith(metadataPath)) return undefined;
    const below = path.slice(metadataPath.length).replace(/\/$/, "");
    if (below === "") return { room: "mcp", server: undefined };
    const { mcp, sse } = this.#urls;
    const [own, ownSse] = [pathOf(mcp), sse === undefined ? undefined : pathOf(sse)];
    // The longest ones first: a prefix can be called like an interface.
    const bases: (readonly [string | undefined, Room])[] = [
      [own === "" ? undefined : own, "mcp"],
      [ownSse, "sse"],
      ["/mcp", "mcp"],
      ["/sse", "sse"],
      [own, "mcp"],
    ];
    for (const [base, room] of bases) {
      if (base === below) return { room, server: undefined };
      if (base === undefined || !below.startsWith(`${base}/`)) continue;
      const server = below.slice(base.length + 1);
      if (serverName.test(server)) return { room, server };
    }
    return undefined;
  }
}

const pathOf = (url: string): string => new URL(url).pathname.replace(/\/$/, "");

/** The scopes of a token that fit into a header. */
function repeatable(scopes: ReadonlySet<string>): string[] {
  let left = maxHeld;
  return [...scopes].filter((scope) => {
    if (!scopeToken.test(scope) || scope.length >= left) return false;
    left -= scope.length + 1;
    return true;
  });
}
