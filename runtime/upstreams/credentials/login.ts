import {
  type AuthorizationServer,
  authorizationCodeGrantRequest,
  calculatePKCECodeChallenge,
  generateRandomCodeVerifier,
  generateRandomState,
  processAuthorizationCodeResponse,
  validateAuthResponse,
} from "oauth4webapi";
import { union } from "../../security/scopes.ts";
import { bearerChallenge, type Challenge } from "./challenge.ts";
import { clientIdentity } from "./client-identity.ts";
import { type AuthorizationContext, discover } from "./discovery.ts";
import { tokensOf } from "./grants.ts";
import type { OAuthOptions } from "./oauth-options.ts";
import { RedirectReceiver } from "./redirect-receiver.ts";
import type { ServerRecord, StoredClient } from "./token-store.ts";

export interface LoginOptions extends Omit<OAuthOptions, "onToken"> {
  /** The server's endpoint. */
  readonly url: URL;
  /** Shows a person the page of the authorization server. */
  readonly open: (page: URL) => void;
  /** How long the person may take, in milliseconds. */
  readonly timeoutMs: number;
}

/** What a login came to. */
export interface LoginResult {
  readonly issuer: string;
  readonly scopes: readonly string[];
  /** Does the authorization server renew the token without a person? */
  readonly renewable: boolean;
}

const offline = "offline_access";

/**
 * A person lets the gateway use a server: authorization code with PKCE (OAuth 2.1; basic/authorization), `resource`
 * (RFC 8707), `iss` compared (RFC 9207). The tokens go into the store. Rejects with UPSTREAM_CREDENTIALS.
 */
export async function login(options: LoginOptions): Promise<LoginResult> {
  try {
    return await authorize(options);
  } catch (error) {
    throw options.failure(options.url, error);
  }
}

async function authorize(options: LoginOptions): Promise<LoginResult> {
  const { server, settings, store, http, url, clock } = options;
  const record = await store.read(server);
  const challenge = record.wanted === undefined ? await probe(options) : { error: undefined, ...challengeOf(record) };
  const context = await discover(http, url, challenge, settings.issuer);
  const { as } = context;
  if (as.authorization_endpoint === undefined || !as.code_challenge_methods_supported?.includes("S256")) {
    throw new Error(`${as.issuer} offers no authorization code with PKCE (S256)`);
  }
  const before = record.clients[as.issuer]?.redirectUri;
  const port = settings.redirectPort ?? Number(before === undefined ? 0 : new URL(before).port);
  const receiver = await RedirectReceiver.start(port, settings.redirectPort !== undefined);
  try {
    const { redirectUri } = receiver;
    const { client, auth, registered } = await clientIdentity(options, as, redirectUri);
    const kept = (clients: ServerRecord["clients"], now: StoredClient | undefined) =>
      now === undefined ? clients : { ...clients, [as.issuer]: now };
    const scopes = scopesFor(options, record, challenge, context);
    const verifier = generateRandomCodeVerifier();
    const state = generateRandomState();
    const page = await pageOf(as, { clientId: client.client_id, redirectUri, verifier, state, scopes, context });
    if (registered !== undefined && registered.clientId === record.clients[as.issuer]?.clientId) {
      // A client that is forgotten gets a page that only the person sees: when nobody comes back, the next login registers anew.
      await store.update(server, ({ clients, ...rest }) => ({
        ...rest,
        clients: kept(clients, { ...registered, attempted: true }),
      }));
    }
    const answer = receiver.answer(state, options.timeoutMs);
    options.open(page);
    const parameters = validateAuthResponse(as, client, await answer, state);
    const asked = await authorizationCodeGrantRequest(as, client, auth, parameters, redirectUri, verifier, {
      ...http.options,
      additionalParameters: { resource: context.resource },
    });
    const tokens = tokensOf(await processAuthorizationCodeResponse(as, client, asked), { context, scopes, clock });
    await store.update(server, ({ wanted: _met, clients, ...rest }) => ({
      ...rest,
      clients: kept(clients, registered),
      current: as.issuer,
      tokens: { ...rest.tokens, [as.issuer]: tokens },
    }));
    return { issuer: as.issuer, scopes: tokens.scopes, renewable: tokens.refreshToken !== undefined };
  } finally {
    receiver.close();
  }
}

const challengeOf = ({ wanted }: ServerRecord): Omit<Challenge, "error"> => ({
  scopes: wanted?.scopes ?? [],
  resourceMetadata: wanted?.resourceMetadata,
});

/** What the server wants, asked without a token. */
async function probe({ http, url }: LoginOptions): Promise<Challenge> {
  const headers = { "content-type": "application/json", accept: "application/json, text/event-stream" };
  const body = JSON.stringify({ jsonrpc: "2.0", id: 0, method: "server/discover" });
  const response = await http.fetch(url.href, { method: "POST", headers, body }, url.origin);
  return bearerChallenge(response.headers.get("www-authenticate") ?? undefined);
}

/** Scopes to ask for: the configured and wanted ones, else all that the server knows, else none are named. */
function scopesFor(
  { settings }: LoginOptions,
  record: ServerRecord,
  { scopes }: Challenge,
  { as, scopes: known }: AuthorizationContext,
): readonly string[] {
  const asked = union(settings.scopes, record.tokens[as.issuer]?.scopes, scopes);
  const needed = asked.length > 0 ? asked : (known ?? []);
  // Who wants to be let in tomorrow asks for it (OpenID Connect Core, 11; SEP-2207).
  return as.scopes_supported?.includes(offline) ? union(needed, [offline]) : needed;
}

interface PageParts {
  readonly clientId: string;
  readonly redirectUri: string;
  readonly verifier: string;
  readonly state: string;
  readonly scopes: readonly string[];
  readonly context: AuthorizationContext;
}

async function pageOf(as: AuthorizationServer, parts: PageParts): Promise<URL> {
  const page = new URL(as.authorization_endpoint as string);
  if (page.protocol !== "https:" && page.protocol !== "http:") throw new Error(`${page.protocol} is no page`);
  const parameters = {
    response_type: "code",
    client_id: parts.clientId,
    redirect_uri: parts.redirectUri,
    code_challenge: await calculatePKCECodeChallenge(parts.verifier),
    code_challenge_method: "S256",
    state: parts.state,
    resource: parts.context.resource,
    ...(parts.scopes.length === 0 ? {} : { scope: parts.scopes.join(" ") }),
    // Without it OpenID providers give no refresh token.
    ...(parts.scopes.includes(offline) ? { prompt: "consent" } : {}),
  };
  for (const [name, value] of Object.entries(parameters)) page.searchParams.set(name, value);
  return page;
}
