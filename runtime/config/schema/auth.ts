import Type, { type Static, type TProperties } from "typebox";

const options = { additionalProperties: false } as const;
const block = <T extends TProperties>(keys: T, description?: string) =>
  Type.Object(keys, description === undefined ? options : { ...options, description });
const text = (description: string) => Type.String({ minLength: 1, description });
const texts = (description: string) => Type.Array(Type.String({ minLength: 1 }), { description });

/** What every stored credential says besides the secret itself. */
const holder = {
  name: text(
    "Who holds it; the caller's name in logs, policies and limits. Several may have the same name (rotation).",
  ),
  scopes: Type.Optional(texts("OAuth scopes that it stands for. Defaults to none.")),
  roles: Type.Optional(texts("Roles for `gateway.authorization`. Defaults to none.")),
  expiresAt: Type.Optional(text("When it ends, like 2027-01-31T00:00:00Z. Defaults to never.")),
};
const sha256 = Type.Optional(
  Type.String({
    pattern: "^sha256:[0-9a-f]{64}$",
    description: "Its SHA-256 as `sha256:<64 hex digits>` (`mcp-fleet hash` makes it), instead of the secret.",
  }),
);

/** Where opaque tokens are looked up (RFC 7662). */
const Introspection = block(
  {
    url: Type.Optional(text("Defaults to what the issuer's metadata says.")),
    clientId: text("The gateway's own client at the issuer."),
    clientSecret: text("A reference: `${NAME}` or `file:/path`."),
    always: Type.Optional(
      Type.Boolean({ description: "Ask for JWTs too, so that revoked ones are refused. Defaults to false." }),
    ),
  },
  "Looks opaque tokens up (RFC 7662).",
);

/** Tokens of one authorization server. */
const Jwt = block({
  issuer: text("`iss` of the tokens; its metadata (RFC 8414 or OpenID Connect) names the keys."),
  audience: Type.Optional(
    texts("One of these must be in `aud`. Defaults to `oauth.resource` and, below it, the server that is called."),
  ),
  jwksUri: Type.Optional(text("Where its keys are. Defaults to what its metadata says.")),
  jwksFile: Type.Optional(text("Or a file with its keys, read at the start and when the configuration is applied.")),
  algorithms: Type.Optional(
    texts("Defaults to RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512 and EdDSA; never HS… or none."),
  ),
  clockSkewSeconds: Type.Optional(
    Type.Integer({ minimum: 0, maximum: 300, description: "Allowed difference of the clocks. Defaults to 30." }),
  ),
  callerClaim: Type.Optional(
    text(
      "Claim that names the caller: up to 512 characters. Defaults to `sub`; to `client_id` of opaque tokens without one.",
    ),
  ),
  rolesClaim: Type.Optional(text("Claim with the roles; dots lead deeper. Defaults to `roles`.")),
  cacheSeconds: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 3600,
      description:
        "A verified token is not looked at again for so long: bounds what a revocation takes. Defaults to 60.",
    }),
  ),
  introspection: Type.Optional(Introspection),
});

/** What a caller must have to come in somewhere, besides being authenticated. */
export const Requirement = block({
  methods: Type.Optional(
    Type.Array(Type.Enum(["bearer", "api-key", "basic", "jwt", "mtls", "anonymous"]), {
      minItems: 1,
      description: "Authenticated in one of these ways. Defaults to any that is configured.",
    }),
  ),
  scopes: Type.Optional(texts("With all of these OAuth scopes. Defaults to none.")),
  roles: Type.Optional(texts("With one of these roles. Defaults to none.")),
});

/** Who may call. Without it the gateway listens on loopback only. */
export const Auth = block({
  bearerTokens: Type.Optional(
    Type.Array(
      block({ ...holder, token: Type.Optional(text("A reference: `${NAME}` or `file:/path`.")), hash: sha256 }),
      {
        minItems: 1,
        description: "Static tokens of RFC 6750 (`Authorization: Bearer …`).",
      },
    ),
  ),
  apiKeys: Type.Optional(
    Type.Array(
      block({ ...holder, key: Type.Optional(text("A reference: `${NAME}` or `file:/path`.")), hash: sha256 }),
      {
        minItems: 1,
        description: "Keys in a header of their own (`apiKeyHeader`).",
      },
    ),
  ),
  apiKeyHeader: Type.Optional(text("Defaults to `x-api-key`.")),
  basic: Type.Optional(
    Type.Array(
      block({
        ...holder,
        hash: Type.String({
          pattern: "^scrypt:\\d+:\\d+:\\d+:[A-Za-z0-9_-]+:[A-Za-z0-9_-]+$",
          description: "`scrypt:N:r:p:salt:hash`, made by `mcp-fleet hash --password`.",
        }),
      }),
      { minItems: 1, description: "Passwords of RFC 7617 (`Authorization: Basic …`)." },
    ),
  ),
  jwt: Type.Optional(
    Type.Array(Jwt, { minItems: 1, description: "Access tokens of authorization servers (OAuth 2.1)." }),
  ),
  oauth: Type.Optional(
    block(
      {
        resource: text(
          "The gateway's `/mcp` as its clients write it, path prefix included, like https://mcp.example.org/mcp (RFC 8707).",
        ),
        authorizationServers: Type.Optional(texts("Defaults to the issuers under `jwt`.")),
        scopes: Type.Optional(
          texts(
            "Scopes that every client asks for, besides those that the interface and the server require. Defaults to none.",
          ),
        ),
        documentation: Type.Optional(text("`resource_documentation` of the metadata. Defaults to none.")),
      },
      "Protected resource metadata at /.well-known/oauth-protected-resource (RFC 9728).",
    ),
  ),
  clientCertificates: Type.Optional(
    Type.Array(
      block({
        ...holder,
        subject: text(
          "A subject alternative name with its kind, like `DNS:a.example.org`, `URI:spiffe://…`, `IP:…` or `email:…`; or `CN:` and the common name. Without a kind it is the common name of a certificate that has no alternative names.",
        ),
      }),
      { minItems: 1, description: "Who stands behind which certificate; needs `gateway.tls.clientCaFile`." },
    ),
  ),
  allowAnonymous: Type.Optional(
    Type.Boolean({
      description: "Callers without any credential come in as `anonymous`, from everywhere. Defaults to false.",
    }),
  ),
  listeners: Type.Optional(
    block(
      {
        mcp: Type.Optional(Requirement),
        sse: Type.Optional(Requirement),
        ws: Type.Optional(Requirement),
        rest: Type.Optional(Requirement),
        metrics: Type.Optional(Requirement),
        dashboard: Type.Optional(Requirement),
      },
      "What callers must have on one of the gateway's interfaces.",
    ),
  ),
  maxFailuresPerMinute: Type.Optional(
    Type.Integer({
      minimum: 1,
      description:
        "Wrong credentials from one address (of IPv6, from one /64), past which it gets 429; counted over all workers, and over all gateways that share a Redis. Defaults to no bound.",
    }),
  ),
});

export type Auth = Static<typeof Auth>;
export type Requirement = Static<typeof Requirement>;
