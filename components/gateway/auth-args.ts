import type * as pulumi from "@pulumi/pulumi";
import type { RequirementArgs } from "../security-args.ts";

/** A static token and who holds it. */
export interface GatewayTokenArgs {
  /** Who holds it; the caller's name in logs, policies and limits. Several may have the same name (rotation). */
  name: pulumi.Input<string>;
  /** OAuth scopes that it stands for. Defaults to none. */
  scopes?: pulumi.Input<pulumi.Input<string>[]>;
  /** Roles for `gateway.authorization`. Defaults to none. */
  roles?: pulumi.Input<pulumi.Input<string>[]>;
  /** When it ends, like 2027-01-31T00:00:00Z. Defaults to never. */
  expiresAt?: pulumi.Input<string>;
  /** A reference: `${NAME}` or `file:/path`. */
  token?: pulumi.Input<string>;
  /** Its SHA-256 as `sha256:<64 hex digits>` (`mcp-fleet hash` makes it), instead of the secret. */
  hash?: pulumi.Input<string>;
}

/** A key in a header of its own, and who holds it. */
export interface GatewayApiKeyArgs {
  /** Who holds it; the caller's name in logs, policies and limits. Several may have the same name (rotation). */
  name: pulumi.Input<string>;
  /** OAuth scopes that it stands for. Defaults to none. */
  scopes?: pulumi.Input<pulumi.Input<string>[]>;
  /** Roles for `gateway.authorization`. Defaults to none. */
  roles?: pulumi.Input<pulumi.Input<string>[]>;
  /** When it ends, like 2027-01-31T00:00:00Z. Defaults to never. */
  expiresAt?: pulumi.Input<string>;
  /** A reference: `${NAME}` or `file:/path`. */
  key?: pulumi.Input<string>;
  /** Its SHA-256 as `sha256:<64 hex digits>` (`mcp-fleet hash` makes it), instead of the secret. */
  hash?: pulumi.Input<string>;
}

/** A user of basic authentication. */
export interface GatewayPasswordArgs {
  /** Who holds it; the caller's name in logs, policies and limits. Several may have the same name (rotation). */
  name: pulumi.Input<string>;
  /** OAuth scopes that it stands for. Defaults to none. */
  scopes?: pulumi.Input<pulumi.Input<string>[]>;
  /** Roles for `gateway.authorization`. Defaults to none. */
  roles?: pulumi.Input<pulumi.Input<string>[]>;
  /** When it ends, like 2027-01-31T00:00:00Z. Defaults to never. */
  expiresAt?: pulumi.Input<string>;
  /** `scrypt:N:r:p:salt:hash`, made by `mcp-fleet hash --password`. */
  hash: pulumi.Input<string>;
}

/** Looks opaque tokens up (RFC 7662). */
export interface GatewayIntrospectionArgs {
  /** Where. Defaults to what the issuer's metadata says. */
  url?: pulumi.Input<string>;
  /** The gateway's own client at the issuer. */
  clientId: pulumi.Input<string>;
  /** A reference: `${NAME}` or `file:/path`. */
  clientSecret: pulumi.Input<string>;
  /** Ask for JWTs too, so that revoked ones are refused. Defaults to false. */
  always?: pulumi.Input<boolean>;
}

/** Access tokens of one authorization server. */
export interface GatewayJwtArgs {
  /** `iss` of the tokens; its metadata (RFC 8414 or OpenID Connect) names the keys. */
  issuer: pulumi.Input<string>;
  /** One of these must be in `aud`. Defaults to `oauth.resource` and, below it, the server that is called. */
  audience?: pulumi.Input<pulumi.Input<string>[]>;
  /** Where its keys are. Defaults to what its metadata says. */
  jwksUri?: pulumi.Input<string>;
  /** Or a file with its keys, read at the start and when the configuration is applied. */
  jwksFile?: pulumi.Input<string>;
  /** Algorithms of signatures. Defaults to RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512 and EdDSA; never HS… or none. */
  algorithms?: pulumi.Input<pulumi.Input<string>[]>;
  /** Allowed difference of the clocks. Defaults to 30. */
  clockSkewSeconds?: pulumi.Input<number>;
  /** Claim that names the caller. Defaults to `sub`. */
  callerClaim?: pulumi.Input<string>;
  /** Claim with the roles; dots lead deeper. Defaults to `roles`. */
  rolesClaim?: pulumi.Input<string>;
  /** A verified token is not looked at again for so long: bounds what a revocation takes. Defaults to 60. */
  cacheSeconds?: pulumi.Input<number>;
  /** Looks opaque tokens up (RFC 7662). */
  introspection?: GatewayIntrospectionArgs;
}

/** Protected resource metadata at /.well-known/oauth-protected-resource (RFC 9728). */
export interface GatewayOAuthArgs {
  /** The gateway's `/mcp` as its clients write it, path prefix included, like https://mcp.example.org/mcp (RFC 8707). */
  resource: pulumi.Input<string>;
  /** Issuers whose tokens are taken. Defaults to those under `jwt`. */
  authorizationServers?: pulumi.Input<pulumi.Input<string>[]>;
  /** Scopes that every client asks for, besides those that the interface and the server require. Defaults to none. */
  scopes?: pulumi.Input<pulumi.Input<string>[]>;
  /** `resource_documentation` of the metadata. Defaults to none. */
  documentation?: pulumi.Input<string>;
}

/** Who stands behind a client certificate. */
export interface GatewayClientCertificateArgs {
  /** Who holds it; the caller's name in logs, policies and limits. Several may have the same name (rotation). */
  name: pulumi.Input<string>;
  /** OAuth scopes that it stands for. Defaults to none. */
  scopes?: pulumi.Input<pulumi.Input<string>[]>;
  /** Roles for `gateway.authorization`. Defaults to none. */
  roles?: pulumi.Input<pulumi.Input<string>[]>;
  /** When it ends, like 2027-01-31T00:00:00Z. Defaults to never. */
  expiresAt?: pulumi.Input<string>;
  /** Subject alternative name with its kind, like `DNS:a.example.org`, `URI:spiffe://…`, `IP:…` or `email:…`, or `CN:` and the common name. Without a kind: common name of a certificate that has no alternative names. */
  subject: pulumi.Input<string>;
}

/** What callers must have on one of the gateway's interfaces. */
export interface GatewayInterfacesArgs {
  /** `/mcp`. */
  mcp?: RequirementArgs;
  /** `/sse`. */
  sse?: RequirementArgs;
  /** `/ws`. */
  ws?: RequirementArgs;
  /** `/api/v1`. */
  rest?: RequirementArgs;
  /** `/metrics`. */
  metrics?: RequirementArgs;
  /** `/dashboard`. */
  dashboard?: RequirementArgs;
}

/** Who may call. */
export interface GatewayAuthArgs {
  /** Static tokens of RFC 6750 (`Authorization: Bearer …`). */
  bearerTokens?: pulumi.Input<pulumi.Input<GatewayTokenArgs>[]>;
  /** Keys in a header of their own (`apiKeyHeader`). */
  apiKeys?: pulumi.Input<pulumi.Input<GatewayApiKeyArgs>[]>;
  /** Header of the keys. Defaults to `x-api-key`. */
  apiKeyHeader?: pulumi.Input<string>;
  /** Passwords of RFC 7617 (`Authorization: Basic …`). */
  basic?: pulumi.Input<pulumi.Input<GatewayPasswordArgs>[]>;
  /** Access tokens of authorization servers (OAuth 2.1). */
  jwt?: pulumi.Input<pulumi.Input<GatewayJwtArgs>[]>;
  /** Protected resource metadata at /.well-known/oauth-protected-resource (RFC 9728). */
  oauth?: GatewayOAuthArgs;
  /** Who stands behind which certificate; needs `gateway.tls.clientCaFile`. */
  clientCertificates?: pulumi.Input<pulumi.Input<GatewayClientCertificateArgs>[]>;
  /** Callers without any credential come in as `anonymous`, from everywhere. Defaults to false. */
  allowAnonymous?: pulumi.Input<boolean>;
  /** What callers must have on one of the gateway's interfaces. Defaults to nothing more. */
  listeners?: GatewayInterfacesArgs;
  /** Wrong credentials from one address, past which it gets 429. Defaults to no bound. */
  maxFailuresPerMinute?: pulumi.Input<number>;
}
