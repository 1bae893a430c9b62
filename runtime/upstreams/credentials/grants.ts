import { randomUUID } from "node:crypto";
import { SignJWT } from "jose";
import {
  clientCredentialsGrantRequest,
  genericTokenEndpointRequest,
  processClientCredentialsResponse,
  processGenericTokenEndpointResponse,
  processRefreshTokenResponse,
  refreshTokenGrantRequest,
  type TokenEndpointResponse,
} from "oauth4webapi";
import { scopesOf } from "./challenge.ts";
import { type ClientIdentity, readPrivateKey } from "./client-identity.ts";
import type { AuthorizationContext } from "./discovery.ts";
import type { OAuthHttp } from "./oauth-http.ts";
import type { OAuthSettings } from "./oauth-settings.ts";
import type { StoredTokens } from "./token-store.ts";

/** What every request for tokens needs. */
export interface GrantRequest {
  readonly http: OAuthHttp;
  readonly context: AuthorizationContext;
  readonly identity: ClientIdentity;
  readonly scopes: readonly string[];
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

const tokenExchange = "urn:ietf:params:oauth:grant-type:token-exchange";
const jwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const accessTokenType = "urn:ietf:params:oauth:token-type:access_token";
const jwtType = "urn:ietf:params:oauth:token-type:jwt";
const assertionSeconds = 60;

/** A token for the gateway itself (RFC 6749, 4.4). */
export async function clientCredentials(request: GrantRequest): Promise<StoredTokens> {
  const { http, context, identity } = request;
  const { client, auth } = identity;
  const response = await clientCredentialsGrantRequest(context.as, client, auth, parametersOf(request), http.options);
  return tokensOf(await processClientCredentialsResponse(context.as, client, response), request);
}

/**
 * A token for the gateway as the workload that its platform's JWT says it is (RFC 7523, 2.1; SEP-1933). Needs no secret:
 * the platform puts a fresh JWT in its place.
 */
export async function workload(request: GrantRequest, assertion: string): Promise<StoredTokens> {
  const { http, context, identity } = request;
  const { client, auth } = identity;
  const parameters = parametersOf(request);
  parameters.set("assertion", assertion);
  const asked = await genericTokenEndpointRequest(context.as, client, auth, jwtBearer, parameters, http.options);
  return tokensOf(await processGenericTokenEndpointResponse(context.as, client, asked), request);
}

/**
 * A token for a caller (RFC 8693): the gateway says with a token of its own making who calls, signed with the key that
 * its client is registered with. The token that the caller came with goes nowhere.
 */
export async function exchange(request: GrantRequest, caller: string, settings: OAuthSettings): Promise<StoredTokens> {
  const { http, context, identity, clock } = request;
  const { client, auth } = identity;
  const parameters = parametersOf(request);
  parameters.set("subject_token", await assertionOf(caller, client.client_id, context.as.issuer, settings, clock));
  parameters.set("subject_token_type", jwtType);
  parameters.set("requested_token_type", accessTokenType);
  if (settings.audience !== undefined) parameters.set("audience", settings.audience);
  const asked = await genericTokenEndpointRequest(context.as, client, auth, tokenExchange, parameters, http.options);
  return tokensOf(await processGenericTokenEndpointResponse(context.as, client, asked), request);
}

/** Fresh tokens for a person's consent of before (RFC 6749, 6). */
export async function refresh(request: GrantRequest, { refreshToken, scopes }: StoredTokens): Promise<StoredTokens> {
  const { http, context, identity } = request;
  const { client, auth } = identity;
  const options = { ...http.options, additionalParameters: { resource: context.resource } };
  const asked = await refreshTokenGrantRequest(context.as, client, auth, refreshToken ?? "", options);
  const answer = await processRefreshTokenResponse(context.as, client, asked);
  const fresh = tokensOf(answer, { ...request, scopes });
  // Without rotation the old one goes on.
  return fresh.refreshToken === undefined && refreshToken !== undefined ? { ...fresh, refreshToken } : fresh;
}

/** What a token endpoint answered, to be kept. Scopes that it does not name are those asked for (RFC 6749, 5.1). */
export function tokensOf(
  { access_token: accessToken, refresh_token: refreshToken, expires_in: seconds, scope }: TokenEndpointResponse,
  { context, scopes, clock }: Pick<GrantRequest, "context" | "scopes" | "clock">,
): StoredTokens {
  return {
    accessToken,
    ...(refreshToken === undefined ? {} : { refreshToken }),
    scopes: scope === undefined ? scopes : scopesOf(scope),
    resource: context.resource,
    ...(seconds === undefined ? {} : { expiresAt: clock() + seconds * 1000 }),
  };
}

function parametersOf({ context, scopes }: GrantRequest): URLSearchParams {
  const parameters = new URLSearchParams({ resource: context.resource });
  if (scopes.length > 0) parameters.set("scope", scopes.join(" "));
  return parameters;
}

async function assertionOf(
  caller: string,
  clientId: string,
  audience: string,
  { privateKey, keyId }: OAuthSettings,
  clock: () => number,
): Promise<string> {
  const { key, alg } = await readPrivateKey(privateKey ?? "");
  const now = Math.floor(clock() / 1000);
  return new SignJWT()
    .setProtectedHeader({ alg, ...(keyId === undefined ? {} : { kid: keyId }) })
    .setIssuer(clientId)
    .setSubject(caller)
    .setAudience(audience)
    .setJti(randomUUID())
    .setIssuedAt(now)
    .setExpirationTime(now + assertionSeconds)
    .sign(key);
}
