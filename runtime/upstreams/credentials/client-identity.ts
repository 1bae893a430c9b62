import { createPrivateKey, type webcrypto } from "node:crypto";
import { importPKCS8 } from "jose";
import {
  type AuthorizationServer,
  type Client,
  type ClientAuth,
  ClientSecretPost,
  dynamicClientRegistrationRequest,
  None,
  PrivateKeyJwt,
  processDynamicClientRegistrationResponse,
} from "oauth4webapi";
import type { OAuthHttp } from "./oauth-http.ts";
import type { OAuthSettings } from "./oauth-settings.ts";
import type { StoredClient, TokenStore } from "./token-store.ts";

/** The gateway towards one authorization server. */
export interface ClientIdentity {
  readonly client: Client;
  readonly auth: ClientAuth;
  /** The registration that it comes from; undefined for a configured client. */
  readonly registered?: StoredClient;
}

export interface ClientIdentityOptions {
  readonly server: string;
  readonly settings: OAuthSettings;
  readonly store: TokenStore;
  readonly http: OAuthHttp;
}

const secretMethods = ["client_secret_basic", "client_secret_post"] as const;

/**
 * Who the gateway is to an authorization server, in the order of the specification (basic/authorization, "Client
 * Registration"): the configured client, a Client ID Metadata Document, a registration made before or now (RFC 7591).
 * `redirectUri` is for logins, which alone may register; a new registration is kept by them when they succeed. Rejects with an
 * Error that says what is missing.
 */
export async function clientIdentity(
  options: ClientIdentityOptions,
  as: AuthorizationServer,
  redirectUri?: string,
): Promise<ClientIdentity> {
  const { server, settings, store } = options;
  if (settings.clientId !== undefined) return configured(settings, as, settings.clientId);
  if (settings.clientMetadataUrl !== undefined && as.client_id_metadata_document_supported === true) {
    return configured(settings, as, settings.clientMetadataUrl);
  }
  const known = (await store.read(server)).clients[as.issuer];
  const again = known?.redirectUri === redirectUri && known?.attempted !== true;
  if (known !== undefined && (redirectUri === undefined || again)) return ofRegistration(known);
  if (redirectUri === undefined || as.registration_endpoint === undefined) {
    throw new Error(
      `the gateway has no client id at ${as.issuer}; set clientId, or clientMetadataUrl if it knows these`,
    );
  }
  return ofRegistration(await register(options, as, redirectUri));
}

async function configured(settings: OAuthSettings, as: AuthorizationServer, id: string): Promise<ClientIdentity> {
  const { clientSecret, privateKey, tokenEndpointAuthMethod: method = methodFor(as) } = settings;
  if (privateKey !== undefined) {
    const { key, alg } = await readPrivateKey(privateKey);
    const { keyId: kid } = settings;
    const auth = PrivateKeyJwt({ key, ...(kid === undefined ? {} : { kid }) });
    return { client: { client_id: id, token_endpoint_auth_signing_alg: alg }, auth };
  }
  if (clientSecret === undefined) return { client: { client_id: id }, auth: None() };
  return { client: { client_id: id }, auth: secretAuth(method, clientSecret) };
}

function ofRegistration(registered: StoredClient): ClientIdentity {
  const { clientId, clientSecret, authMethod } = registered;
  const auth = clientSecret === undefined || authMethod === "none" ? None() : secretAuth(authMethod, clientSecret);
  return { client: { client_id: clientId }, auth, registered };
}

const secretAuth = (method: string, secret: string): ClientAuth =>
  method === "client_secret_post" ? ClientSecretPost(secret) : basic(secret);

/**
 * `client_secret_basic` (RFC 6749, 2.3.1). The library's own escapes also what form encoding leaves alone (`-`, `.`, `_`),
 * which authorization servers that do not decode take for another client.
 */
function basic(secret: string): ClientAuth {
  const formEncoded = (text: string) => new URLSearchParams({ "": text }).toString().slice(1);
  return (_as, client, _body, headers) => {
    const pair = `${formEncoded(client.client_id)}:${formEncoded(secret)}`;
    headers.set("authorization", `Basic ${Buffer.from(pair).toString("base64")}`);
  };
}

/** Basic, unless the authorization server knows only the other one (RFC 8414: without a list it is basic). */
function methodFor(as: AuthorizationServer): string {
  const offered = as.token_endpoint_auth_methods_supported;
  return secretMethods.find((method) => offered?.includes(method)) ?? "client_secret_basic";
}

async function register(
  { http }: ClientIdentityOptions,
  as: AuthorizationServer,
  redirectUri: string,
): Promise<StoredClient> {
  const offered = as.token_endpoint_auth_methods_supported ?? ["client_secret_basic"];
  const wanted = [...secretMethods, "none"].find((method) => offered.includes(method)) ?? "none";
  const response = await dynamicClientRegistrationRequest(
    as,
    {
      client_name: "mcp-fleet",
      // A person's browser comes back to a port of loopback (RFC 8252, 7.3; SEP-837).
      application_type: "native",
      redirect_uris: [redirectUri],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      token_endpoint_auth_method: wanted,
    },
    http.options,
  );
  const made = await processDynamicClientRegistrationResponse(await withExpiry(response));
  const clientSecret = typeof made.client_secret === "string" ? made.client_secret : undefined;
  const authMethod = typeof made.token_endpoint_auth_method === "string" ? made.token_endpoint_auth_method : wanted;
  return { clientId: made.client_id, ...(clientSecret === undefined ? {} : { clientSecret }), authMethod, redirectUri };
}

/** A secret without the date that RFC 7591, 3.2.1 requires is taken for one without end, as clients do. */
async function withExpiry(response: Response): Promise<Response> {
  const body = (await response.json().catch(() => null)) as Record<string, unknown> | null;
  const { status, headers } = response;
  return Response.json(typeof body?.client_secret === "string" ? { client_secret_expires_at: 0, ...body } : body, {
    status,
    headers,
  });
}

const curves: Readonly<Record<string, string>> = { prime256v1: "ES256", secp384r1: "ES384", secp521r1: "ES512" };

/** A private key in PEM and the algorithm that it signs with. Rejects with an Error that does not show it. */
export async function readPrivateKey(
  pem: string,
): Promise<{ readonly key: webcrypto.CryptoKey; readonly alg: string }> {
  let key: ReturnType<typeof createPrivateKey>;
  try {
    key = createPrivateKey(pem);
  } catch {
    throw new Error("privateKey is no private key in PEM");
  }
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  const alg = type === "rsa" ? "RS256" : type === "ed25519" ? "Ed25519" : curves[details?.namedCurve ?? ""];
  if (alg === undefined)
    throw new Error(`privateKey is of a kind (${type}) that signs no tokens; use RSA, P-256 or Ed25519`);
  const pkcs8 = key.export({ type: "pkcs8", format: "pem" }) as string;
  return { key: (await importPKCS8(pkcs8, alg)) as webcrypto.CryptoKey, alg };
}
