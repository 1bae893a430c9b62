import { type Auth, serverNamePattern } from "../config/schema/index.ts";

/** Where the metadata of a protected resource is (RFC 9728, section 3). */
export const metadataPath = "/.well-known/oauth-protected-resource";
/** The path that every gateway serves its servers under. */
const rootPath = "/mcp";
const serverName = new RegExp(serverNamePattern);

/** The gateway as an OAuth 2.1 resource server: its metadata (RFC 9728) and its challenges (RFC 6750, section 3). */
export class ProtectedResource {
  readonly #auth: Auth;
  /** `gateway.auth.oauth.resource` without the path: where the well-known URLs begin. */
  readonly #origin: string | undefined;

  constructor(auth: Auth) {
    this.#auth = auth;
    this.#origin = auth.oauth && new URL(auth.oauth.resource).origin;
  }

  /**
   * The metadata document of a well-known path, or undefined when it is not one of ours. Each name that a server can have gets
   * one: it is asked for without a token, and must not tell which servers there are.
   */
  document(path: string): object | undefined {
    const { oauth, jwt = [] } = this.#auth;
    if (oauth === undefined || !path.startsWith(metadataPath)) return undefined;
    const below = path.slice(metadataPath.length);
    const server = below.startsWith(`${rootPath}/`) ? below.slice(rootPath.length + 1) : undefined;
    if (server === undefined ? below !== "" && below !== rootPath : !serverName.test(server)) return undefined;
    return {
      resource: server === undefined ? oauth.resource : `${oauth.resource}/${server}`,
      authorization_servers: oauth.authorizationServers ?? jwt.map(({ issuer }) => issuer),
      bearer_methods_supported: ["header"],
      ...(oauth.scopes === undefined ? {} : { scopes_supported: oauth.scopes }),
      ...(oauth.documentation === undefined ? {} : { resource_documentation: oauth.documentation }),
    };
  }

  /** `WWW-Authenticate` for a path of `server`; `error` as RFC 6750 names it, `scopes` what the caller should ask for. */
  challenge(server: string | undefined, error?: string, scopes: readonly string[] = []): string {
    const { oauth, basic } = this.#auth;
    const parts: string[] = [];
    if (error !== undefined) parts.push(`error="${error}"`);
    if (this.#origin !== undefined) {
      const below = server === undefined ? rootPath : `${rootPath}/${server}`;
      parts.push(`resource_metadata="${this.#origin}${metadataPath}${below}"`);
    }
    const wanted = scopes.length > 0 ? scopes : error === undefined ? (oauth?.scopes ?? []) : [];
    if (wanted.length > 0) parts.push(`scope="${wanted.join(" ")}"`);
    const bearer = parts.length === 0 ? "Bearer" : `Bearer ${parts.join(", ")}`;
    return basic === undefined ? bearer : `${bearer}, Basic realm="mcp-fleet", charset="UTF-8"`;
  }
}
