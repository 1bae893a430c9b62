import { readFile } from "node:fs/promises";
import type { errors, JWTPayload, JWTVerifyGetKey } from "jose";
import type { AuthorizationServer } from "oauth4webapi";
import type { Auth } from "../config/schema/index.ts";
import { FleetError, messageOf } from "../errors.ts";
import { audienceOf } from "./audience.ts";
import { issuerFetch } from "./issuer-fetch.ts";
import type { Principal } from "./principal.ts";
import { type ResourceUrls, resourceUrls } from "./resource-urls.ts";
import { callerOf, claimsProblem, typeProblem } from "./token-claims.ts";

type Errors = Awaited<ReturnType<typeof jose>>["errors"];

/** One entry of `gateway.auth.jwt`. */
export type IssuerOptions = NonNullable<Auth["jwt"]>[number];

/** Loaded with the first token: most gateways have none. */
const jose = () => import("jose");
const oauth4webapi = () => import("oauth4webapi");

/** Algorithms with a public key; a shared secret or none would let everybody who knows the public key sign. */
const asymmetric = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
];
const defaultSkewSeconds = 30;
/** Unknown key ids make the keys be fetched again, but not more often than this. */
const keyCooldownMs = 30_000;
const timeoutMs = 5000;
/** The issuer is not asked more often about the token of an open connection. */
const minRecheckMs = 1000;
/** Why a token is refused that names somebody else. */
export const foreignIssuer = "its issuer is not one that is trusted here";

/** Checks the tokens of one authorization server: JWTs by its keys (RFC 9068), opaque ones by asking it (RFC 7662). */
export class TokenIssuer {
  readonly issuer: string;
  readonly introspects: boolean;
  /** A verified token is good for so long without another look, in milliseconds. */
  readonly cacheMs: number;
  readonly #options: IssuerOptions;
  readonly #resources: ResourceUrls | undefined;
  readonly #clock: () => number;
  #server: Promise<AuthorizationServer> | undefined;
  #keys: Promise<JWTVerifyGetKey> | undefined;

  /** `resource`: `gateway.auth.oauth.resource`; `clock`: milliseconds since the epoch. */
  constructor(options: IssuerOptions, resource: string | undefined, clock: () => number) {
    this.issuer = options.issuer;
    this.introspects = options.introspection !== undefined;
    this.cacheMs = (options.cacheSeconds ?? 60) * 1000;
    this.#options = options;
    this.#resources = resource === undefined ? undefined : resourceUrls(resource);
    this.#clock = clock;
  }

  /** Does checking this token mean asking the issuer about it? */
  asks(token: string): boolean {
    return this.introspects && (!looksLikeJwt(token) || this.#options.introspection?.always === true);
  }

  /** Who the token is about. Rejects with TOKEN_REFUSED, or with AUTH_UNAVAILABLE when the issuer cannot be asked. */
  async verify(token: string): Promise<Principal> {
    const jwt = looksLikeJwt(token);
    const claims = jwt ? await this.#verified(token) : await this.#introspected(token);
    if (jwt && this.#options.introspection?.always === true) await this.#introspected(token);
    const principal = this.#principal(claims, jwt);
    return this.asks(token) ? { ...principal, recheckMs: Math.max(this.cacheMs, minRecheckMs) } : principal;
  }

  async #verified(token: string): Promise<JWTPayload> {
    const { jwtVerify, errors } = await jose();
    try {
      const { payload, protectedHeader } = await jwtVerify(token, await this.#keySet(), {
        issuer: await this.#names(),
        algorithms: this.#options.algorithms ?? asymmetric,
        clockTolerance: this.#options.clockSkewSeconds ?? defaultSkewSeconds,
        requiredClaims: ["exp"],
        currentDate: new Date(this.#clock()),
      });
      const problem = typeProblem(protectedHeader.typ);
      if (problem !== undefined) throw refused(problem);
      return payload;
    } catch (error) {
      if (error instanceof FleetError) throw error;
      if (error instanceof errors.JOSEError && !(error instanceof errors.JWKSTimeout))
        throw refused(reasonOf(error, errors));
      throw this.#unavailable(error);
    }
  }

  /** How tokens write the issuer: as it is configured, or as it writes itself, which differs by a slash at most. */
  async #names(): Promise<string[]> {
    const { jwksFile, jwksUri } = this.#options;
    return (jwksFile ?? jwksUri) === undefined ? [this.issuer, (await this.#metadata()).issuer] : [this.issuer];
  }

  /** The issuer's keys, which look after their own freshness; a failure is not kept. */
  #keySet(): Promise<JWTVerifyGetKey> {
    this.#keys ??= this.#findKeys().catch((error) => {
      this.#keys = undefined;
      throw this.#unavailable(error);
    });
    return this.#keys;
  }

  async #findKeys(): Promise<JWTVerifyGetKey> {
    const { createLocalJWKSet, createRemoteJWKSet, customFetch } = await jose();
    const { jwksFile, jwksUri } = this.#options;
    if (jwksFile !== undefined) return createLocalJWKSet(JSON.parse(await readFile(jwksFile, "utf8")));
    const uri = jwksUri ?? (await this.#metadata()).jwks_uri ?? "";
    return createRemoteJWKSet(new URL(uri), {
      cooldownDuration: keyCooldownMs,
      timeoutDuration: timeoutMs,
      [customFetch]: issuerFetch,
    });
  }

  /** What the issuer says of a token now. */
  async #introspected(token: string): Promise<JWTPayload> {
    const { introspection } = this.#options;
    if (introspection === undefined) throw refused("it is not a JWT");
    try {
      const oauth = await oauth4webapi();
      const server = await this.#metadata();
      const client = { client_id: introspection.clientId };
      const secret = oauth.ClientSecretBasic(introspection.clientSecret);
      const response = await oauth.introspectionRequest(
        server,
        client,
        secret,
        token,
        requestOptions(oauth, server.introspection_endpoint),
      );
      const claims = await oauth.processIntrospectionResponse(server, client, response);
      if (!claims.active) throw refused("it is not active");
      const over = claims.exp !== undefined && claims.exp * 1000 <= this.#clock();
      if (over) throw refused("it has expired");
      return claims as unknown as JWTPayload;
    } catch (error) {
      if (error instanceof FleetError) throw error;
      throw this.#unavailable(error);
    }
  }

  #principal(claims: JWTPayload, jwt: boolean): Principal {
    const { audience, rolesClaim = "roles", clockSkewSeconds = defaultSkewSeconds } = this.#options;
    // An introspection need not say `sub` (RFC 7662, section 2.2) and does not of a client's own token; a JWT must (RFC 9068, section 2.2).
    const ofClient = !jwt && claims.sub === undefined && claims.client_id !== undefined;
    const callerClaim = this.#options.callerClaim ?? (ofClient ? "client_id" : "sub");
    const servers = audienceOf(claims.aud, audience, this.#resources);
    if (servers === undefined) throw refused("its audience is another one");
    const problem = claimsProblem(claims);
    if (problem !== undefined) throw refused(problem);
    const subject = callerOf(claims[callerClaim]);
    if (subject === undefined || (claims.sub !== undefined && callerOf(claims.sub) === undefined)) {
      const claim = subject === undefined ? callerClaim : "sub";
      throw refused(claims[claim] === undefined ? `it has no claim "${claim}"` : `its claim "${claim}" names nobody`);
    }
    return {
      caller: `${this.issuer}#${subject}`,
      method: "jwt",
      scopes: new Set(scopesOf(claims)),
      roles: new Set(listOf(at(claims, rolesClaim))),
      claims,
      // As long as it is let in anew: a connection ends with its token, not before.
      expiresAt: claims.exp === undefined ? undefined : (claims.exp + (jwt ? clockSkewSeconds : 0)) * 1000,
      servers: servers === "all" ? undefined : servers,
    };
  }

  /** The issuer's metadata, read once; a failure is not kept. */
  #metadata(): Promise<AuthorizationServer> {
    this.#server ??= this.#discover().catch((error) => {
      this.#server = undefined;
      throw this.#unavailable(error);
    });
    return this.#server;
  }

  async #discover(): Promise<AuthorizationServer> {
    const { introspection, jwksFile, jwksUri } = this.#options;
    const url = introspection?.url;
    if (url !== undefined && (jwksFile ?? jwksUri) !== undefined)
      return { issuer: this.issuer, introspection_endpoint: url };
    const oauth = await oauth4webapi();
    const issuer = new URL(this.issuer);
    const tried: unknown[] = [];
    for (const algorithm of ["oauth2", "oidc"] as const) {
      try {
        const response = await oauth.discoveryRequest(issuer, {
          algorithm,
          ...requestOptions(oauth, this.issuer),
        });
        const found = await oauth.processDiscoveryResponse(issuer, response);
        return url === undefined ? found : { ...found, introspection_endpoint: url };
      } catch (error) {
        tried.push(error);
      }
    }
    throw tried.at(-1);
  }

  #unavailable(error: unknown): FleetError {
    if (error instanceof FleetError) return error;
    const text = `Service unavailable: the issuer ${this.issuer} cannot be asked about a token (${messageOf(error)}); try again`;
    return new FleetError("AUTH_UNAVAILABLE", text, { cause: error });
  }
}

/** The issuer that a JWT names; undefined for an opaque token. Nothing of it is believed yet. */
export function claimedIssuer(token: string): string | undefined {
  if (!looksLikeJwt(token)) return undefined;
  try {
    const { iss } = JSON.parse(Buffer.from(token.split(".")[1] as string, "base64url").toString("utf8"));
    return typeof iss === "string" ? iss : undefined;
  } catch {
    return undefined;
  }
}

/** TOKEN_REFUSED; the reason is for the log, and tells nothing that the token's holder does not know. */
export const refused = (reason: string): FleetError =>
  new FleetError("TOKEN_REFUSED", `Unauthorized: the token is not accepted: ${reason}`);

function looksLikeJwt(token: string): boolean {
  const first = token.indexOf(".");
  const second = token.indexOf(".", first + 1);
  return first > 0 && second > first && token.indexOf(".", second + 1) < 0;
}

/** Plain HTTP is for issuers on this machine; the configuration refuses others. */
function requestOptions<Insecure extends symbol, Fetch extends symbol>(
  { allowInsecureRequests, customFetch }: { allowInsecureRequests: Insecure; customFetch: Fetch },
  url: string | undefined,
) {
  return {
    signal: AbortSignal.timeout(timeoutMs),
    [allowInsecureRequests]: url?.startsWith("http:") === true,
    [customFetch]: issuerFetch,
  } as { signal: AbortSignal } & Record<Insecure, boolean> & Record<Fetch, typeof issuerFetch>;
}

function reasonOf(error: errors.JOSEError, errors: Errors): string {
  if (error instanceof errors.JWTExpired) return "it has expired";
  if (error instanceof errors.JWTClaimValidationFailed && error.claim === "iss") return foreignIssuer;
  if (error instanceof errors.JWTClaimValidationFailed) return `its claim "${error.claim}" is not as it must be`;
  if (error instanceof errors.JOSEAlgNotAllowed) return "its algorithm is not allowed";
  if (error instanceof errors.JWKSNoMatchingKey) return "its key is not one of the issuer's";
  return "its signature is not valid";
}

function scopesOf({ scope, scp }: JWTPayload): string[] {
  if (typeof scope === "string") return scope.split(" ").filter((item) => item !== "");
  return listOf(scp);
}

const listOf = (value: unknown): string[] =>
  Array.isArray(value)
    ? value.filter((item) => typeof item === "string")
    : typeof value === "string"
      ? value.split(" ")
      : [];

/** A claim by its name, or by the way to it (`realm_access.roles`). */
function at(claims: JWTPayload, path: string): unknown {
  if (path in claims) return claims[path];
  return path
    .split(".")
    .reduce<unknown>(
      (value, key) => (typeof value === "object" && value !== null ? (value as JWTPayload)[key] : undefined),
      claims,
    );
}
