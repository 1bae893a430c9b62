import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createLocalJWKSet, exportJWK, generateKeyPair, type JWK, jwtVerify } from "jose";
import Provider, {
  type Adapter,
  type ClientMetadata,
  errors,
  type KoaContextWithOIDC,
  type ResourceServer,
} from "oidc-provider";

/** One request for tokens that was granted. */
export interface GrantedRequest {
  readonly grant: string;
  readonly client: string;
  readonly resource: string | undefined;
  readonly scope: string | undefined;
}

export interface AuthorizationServerOptions {
  /** Clients registered beforehand; others may register themselves. */
  readonly clients?: readonly ClientMetadata[];
  /** Seconds that access tokens are good for. Defaults to 3600. */
  readonly accessTokenTtl?: number;
  /** Access tokens for this resource are good for a few seconds only. */
  readonly shortLived?: string;
  /** Takes URLs of metadata documents for client ids. Defaults to true. */
  readonly metadataDocuments?: boolean;
  /** A client can ask for other scopes than it was registered with. Defaults to false. */
  readonly anyScope?: boolean;
  /** Access tokens are opaque instead of JWTs. Defaults to false. */
  readonly opaque?: boolean;
  /** Who is at the browser: approves everything at once. Defaults to `person`. */
  readonly account?: string;
}

const tokenExchange = "urn:ietf:params:oauth:grant-type:token-exchange";
const jwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const scopes = ["read", "write"];
const shortTtl = 3;

async function privateKey(alg: "RS256" | "ES256"): Promise<JWK> {
  const { privateKey: key } = await generateKeyPair(alg, { extractable: true });
  return { ...(await exportJWK(key)), alg, use: "sig", kid: alg };
}

/**
 * A real authorization server (npm `oidc-provider`) for tests, on a free port of loopback: authorization code with
 * PKCE, client credentials, refresh, token exchange (RFC 8693), JWT bearer (RFC 7523), registration, revocation, introspection, resource
 * indicators (RFC 8707), `iss` (RFC 9207). Access tokens are JWTs (ES256) whose audience is the `resource` asked for.
 */
export class AuthorizationServer {
  readonly issuer: string;
  readonly provider: Provider;
  /** What was granted so far, oldest first. */
  readonly granted: GrantedRequest[] = [];
  /** The scopes that each login has asked for, sorted, oldest first. */
  readonly asked: string[] = [];
  readonly #http: Server;
  readonly #account: string;

  private constructor(http: Server, issuer: string, keys: readonly JWK[], options: AuthorizationServerOptions) {
    const { accessTokenTtl = 3600, account = "person", opaque = false } = options;
    this.#http = http;
    this.#account = account;
    this.issuer = issuer;
    const resourceServer = (resource: string): ResourceServer =>
      ({
        ...{ scope: scopes.join(" "), audience: resource },
        accessTokenTTL: resource === options.shortLived ? shortTtl : accessTokenTtl,
        ...(opaque ? { accessTokenFormat: "opaque" } : { accessTokenFormat: "jwt", jwt: { sign: { alg: "ES256" } } }),
      }) as ResourceServer;
    this.provider = new Provider(issuer, {
      jwks: { keys: keys as never },
      scopes: ["openid", "offline_access", ...scopes],
      cookies: { keys: ["test"] },
      findAccount: (_ctx, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
      interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
      issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed("refresh_token"),
      rotateRefreshToken: true,
      ttl: {
        AccessToken: (_ctx, { resourceServer }) => resourceServer?.accessTokenTTL ?? accessTokenTtl,
        ClientCredentials: accessTokenTtl,
        Grant: 3600,
        Interaction: 600,
        Session: 600,
      },
      features: {
        devInteractions: { enabled: false },
        clientCredentials: { enabled: true },
        // A draft of the IETF: a newer one must not come in unseen.
        clientIdMetadataDocument: { enabled: options.metadataDocuments ?? true, ack: "draft-02" },
        introspection: { enabled: true },
        registration: { enabled: true },
        revocation: { enabled: true },
        resourceIndicators: {
          enabled: true,
          defaultResource: () => [],
          getResourceServerInfo: (_ctx, resource) => resourceServer(resource),
          useGrantedResource: () => true,
        },
      },
    });
    // A request without a scope is for the default one (RFC 6749, 3.3).
    this.provider.use(async (ctx, next) => {
      const { query, path } = ctx;
      const scopes = String(query.scope ?? "").split(" ");
      if (path === "/auth") this.asked.push(scopes.sort().join(" "));
      if (path === "/auth" && query.scope === undefined) ctx.query = { ...query, scope: "read" };
      await next();
    });
    const exchange = (ctx: KoaContextWithOIDC) => this.#vouched(ctx, resourceServer, "subject_token");
    const parameters = ["subject_token", "subject_token_type", "requested_token_type", "audience", "resource", "scope"];
    this.provider.registerGrantType(tokenExchange, exchange, parameters, ["resource"]);
    const bearer = (ctx: KoaContextWithOIDC) => this.#vouched(ctx, resourceServer, "assertion");
    this.provider.registerGrantType(jwtBearer, bearer, ["assertion", "resource", "scope"], ["resource"]);
    this.provider.on("grant.success", ({ oidc: { params, client } }) => {
      const text = (value: unknown) => (typeof value === "string" ? value : undefined);
      this.granted.push({
        grant: String(params?.grant_type),
        client: String(client?.clientId),
        resource: text(params?.resource),
        scope: text(params?.scope),
      });
    });
  }

  static async start(options: AuthorizationServerOptions = {}): Promise<AuthorizationServer> {
    const http = createServer();
    await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
    const issuer = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
    const keys = [await privateKey("RS256"), await privateKey("ES256")];
    const server = new AuthorizationServer(http, issuer, keys, options);
    // Not as static clients: those are cloned, and what a clone holds is no plain object in the realm of the tests.
    const { adapter } = server.provider.Client as unknown as { adapter: Adapter };
    if (options.anyScope === true) {
      const upsert = adapter.upsert.bind(adapter);
      adapter.upsert = (id, { scope: _registered, ...payload }, expiresIn) => upsert(id, payload, expiresIn);
    }
    for (const client of options.clients ?? []) await adapter.upsert(client.client_id, { ...client } as never, 0);
    const serve = server.provider.callback();
    http.on("request", (request, response) => {
      if (request.url?.startsWith("/interaction/")) void server.#approve(request, response);
      else serve(request, response);
    });
    return server;
  }

  /** Forgets a client, as servers do with registrations that are old or that a restart has lost. */
  async forget(client: string): Promise<void> {
    await (this.provider.Client as unknown as { adapter: Adapter }).adapter.destroy(client);
  }

  async close(): Promise<void> {
    this.#http.closeAllConnections();
    await new Promise((resolve) => this.#http.close(resolve));
  }

  /** The person logs in and consents to everything. */
  async #approve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { params } = await this.provider.interactionDetails(request, response);
    const grant = new this.provider.Grant({ accountId: this.#account, clientId: String(params.client_id) });
    const scope = String(params.scope ?? "");
    if (scope !== "") grant.addOIDCScope(scope);
    if (typeof params.resource === "string") grant.addResourceScope(params.resource, scope);
    const result = { login: { accountId: this.#account }, consent: { grantId: await grant.save() } };
    await this.provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
  }

  /**
   * RFC 8693 and RFC 7523 for JWTs that are signed with a registered key of the client: about its own users, or by the
   * platform about a workload.
   */
  async #vouched(
    ctx: KoaContextWithOIDC,
    resourceServer: (resource: string) => ResourceServer,
    parameter: "subject_token" | "assertion",
  ): Promise<void> {
    const { client, params } = ctx.oidc;
    if (client === undefined) throw new Error("the client is not authenticated");
    const keys = createLocalJWKSet(client.jwks as { keys: JWK[] });
    const issuer = parameter === "subject_token" ? client.clientId : "https://platform.example";
    const { payload } = await jwtVerify(String(params?.[parameter]), keys, { issuer, audience: this.issuer }).catch(
      ({ message }) => Promise.reject(new errors.InvalidGrant(message)),
    );
    const resource = String(params?.resource);
    const scope = String(params?.scope ?? "");
    const accountId = String(payload.sub);
    const grant = new this.provider.Grant({ accountId, clientId: client.clientId });
    grant.addResourceScope(resource, scope);
    const grantId = await grant.save();
    const token = new this.provider.AccessToken({
      ...{ accountId, client, grantId, scope, gty: parameter === "assertion" ? "jwt_bearer" : "token_exchange" },
      ...{ sessionUid: undefined, expiresWithSession: false },
    } as never);
    token.resourceServer = new this.provider.ResourceServer(resource, resourceServer(resource));
    ctx.body = {
      access_token: await token.save(),
      ...(parameter === "assertion" ? {} : { issued_token_type: "urn:ietf:params:oauth:token-type:access_token" }),
      token_type: "Bearer",
      expires_in: token.expiration,
      scope,
    };
  }
}
