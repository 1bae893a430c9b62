import type { JWTPayload } from "jose";

/**
 * Types of access tokens (`typ` of the header, without `application/`): RFC 9068; what most authorization servers write instead; and
 * what SPIFFE allows for its JWT-SVIDs. A token without one is taken too.
 */
const accessTypes = new Set(["at+jwt", "jwt", "jose"]);
/** Claims that ID tokens (OpenID Connect Core, section 2) and security events (RFC 8417, logout tokens among them) have, and access tokens have not. */
const foreignClaims = ["at_hash", "c_hash", "s_hash", "events"];
/** What Keycloak (`typ`) and Cognito (`token_use`) call tokens that are not for resource servers. */
const foreignUses = new Set(["id", "refresh", "offline", "logout"]);
const longestCaller = 512;

/** Why a JWT with this header is no access token (RFC 8725, section 3.11); undefined when it may be one. */
export function typeProblem(typ: unknown): string | undefined {
  if (typ === undefined) return undefined;
  const type = typeof typ === "string" ? typ.toLowerCase().replace(/^application\//, "") : "";
  return accessTypes.has(type) ? undefined : 'its type ("typ") is not that of an access token';
}

/** Why these claims, of a JWT or of an introspection, are not those of an access token that its bearer may use; undefined when they are. */
export function claimsProblem(claims: JWTPayload): string | undefined {
  for (const claim of foreignClaims) {
    if (claims[claim] !== undefined) return `it is no access token: it has the claim "${claim}"`;
  }
  for (const claim of ["typ", "token_use"]) {
    const use = claims[claim];
    if (typeof use === "string" && foreignUses.has(use.toLowerCase()))
      return `it is no access token: its "${claim}" is ${use.toLowerCase()}`;
  }
  // Some servers copy the nonce of a login into access tokens, which have scopes, unlike ID tokens.
  if (claims.nonce !== undefined && claims.scope === undefined && claims.scp === undefined) {
    return 'it is no access token: it has a "nonce" and no scope';
  }
  return undefined;
}

/** The caller that a claim names; undefined for a claim that names nobody: no text, empty, over 512 characters, or with control characters. */
export function callerOf(value: unknown): string | undefined {
  if (typeof value !== "string" || value.trim() === "" || value.length > longestCaller) return undefined;
  for (let index = 0; index < value.length; index += 1) {
    const code = value.charCodeAt(index);
    if (code < 0x20 || (code >= 0x7f && code <= 0x9f)) return undefined;
  }
  return value;
}

/**
 * Why this connection may not use a token with these claims: it is bound to a key (RFC 7800). `thumbprint`: of the client
 * certificate, in base64url of SHA-256 (RFC 8705). A DPoP proof (RFC 9449) is not checked here, so that such a token opens nothing.
 */
export function bindingProblem({ cnf }: JWTPayload, thumbprint: () => string | undefined): string | undefined {
  if (cnf === undefined) return undefined;
  const bound = typeof cnf === "object" && cnf !== null ? Object.entries(cnf) : [];
  const [[member, value] = ["", undefined]] = bound;
  if (bound.length !== 1 || member !== "x5t#S256") {
    const key = member === "jkt" ? "a DPoP key (cnf.jkt)" : "a key (cnf)";
    return `it is bound to ${key}, whose proof is not checked here; ask the issuer for a bearer token`;
  }
  return value === thumbprint() ? undefined : "it is bound to another client certificate (cnf.x5t#S256)";
}
