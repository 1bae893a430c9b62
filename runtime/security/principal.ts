/** How a caller has proved who it is. `local`: no authentication is configured, and only this machine can call. */
export type AuthMethod = "local" | "anonymous" | "bearer" | "api-key" | "basic" | "jwt" | "mtls";

/** Who calls, as far as a credential says it. One object per credential, so that decisions can be kept by it. */
export interface Principal {
  /** Unique over all ways to authenticate: a configured name, or `<issuer>#<subject>`. Appears in logs. */
  readonly caller: string;
  readonly method: AuthMethod;
  /** OAuth scopes. */
  readonly scopes: ReadonlySet<string>;
  readonly roles: ReadonlySet<string>;
  /** Claims of its token, for policy expressions. */
  readonly claims: Readonly<Record<string, unknown>>;
  /** Milliseconds since the epoch at which the credential ends; undefined when it does not. */
  readonly expiresAt: number | undefined;
  /** Its token can be revoked: milliseconds after which the issuer is asked about it again. Defaults to never. */
  readonly recheckMs?: number | undefined;
  /** The only servers that its token is for (RFC 8707); undefined for all. */
  readonly servers: ReadonlySet<string> | undefined;
}

/** What stored credentials say of their holder. */
export interface Holder {
  readonly name: string;
  readonly scopes?: readonly string[] | undefined;
  readonly roles?: readonly string[] | undefined;
  /** ISO 8601. */
  readonly expiresAt?: string | undefined;
}

/** The principal of a stored credential. */
export function principalOf(holder: Holder, method: AuthMethod): Principal {
  return {
    caller: holder.name,
    method,
    scopes: new Set(holder.scopes),
    roles: new Set(holder.roles),
    claims: {},
    expiresAt: holder.expiresAt === undefined ? undefined : Date.parse(holder.expiresAt),
    servers: undefined,
  };
}

/** Who calls when no authentication is configured: whoever can reach the loopback address. */
export const localPrincipal: Principal = principalOf({ name: "local" }, "local");

/** Who calls without a credential where that is allowed. */
export const anonymousPrincipal: Principal = principalOf({ name: "anonymous" }, "anonymous");

/**
 * Does a caller's name stand for one caller? The names of callers without a credential do not: different people have them,
 * and none of these sees what another one keeps on a server.
 */
export const isNamed = (caller: string): boolean =>
  caller !== localPrincipal.caller && caller !== anonymousPrincipal.caller;

/** Has its credential ended? */
export const hasExpired = ({ expiresAt }: Principal, now: number): boolean =>
  expiresAt !== undefined && now >= expiresAt;
