import Type, { type Static } from "typebox";

const options = { additionalProperties: false } as const;
const secret = "A reference: `${NAME}` or `file:/path`, read again when the file changes.";
const headerName = Type.Optional(
  // A token of RFC 9110, 5.6.2: keys of public servers have underscores.
  Type.String({
    pattern: "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$",
    description: "Name of the header. Defaults to `Authorization`.",
  }),
);
const scheme = Type.Optional(
  Type.String({
    pattern: "^[A-Za-z0-9-]+$",
    description: "Stands before the secret, such as `Bearer`. Defaults to none.",
  }),
);

/** One secret in a header, the same for every caller. */
export const HeaderCredentials = Type.Object(
  { name: headerName, scheme, value: Type.String({ minLength: 1, description: secret }) },
  options,
);

/** A secret in a header for each caller. */
export const CallerCredentials = Type.Object(
  {
    name: headerName,
    scheme,
    secrets: Type.Record(Type.String(), Type.String({ minLength: 1 }), {
      description: "Caller's name → reference to its secret. Other callers are refused.",
    }),
    gateway: Type.Optional(
      Type.String({
        minLength: 1,
        description: "A reference to the secret for what the gateway asks for itself, such as lists. Defaults to none.",
      }),
    ),
  },
  options,
);

/** Access tokens of an authorization server. */
export const OAuthCredentials = Type.Object(
  {
    grant: Type.Enum(["client-credentials", "authorization-code", "token-exchange", "jwt-bearer"], {
      description:
        "`client-credentials`: the gateway for itself. `authorization-code`: a person has logged in once with `mcp-fleet login`. `token-exchange`: for each caller (RFC 8693). `jwt-bearer`: the gateway as the workload that its platform says it is (RFC 7523).",
    }),
    issuer: Type.Optional(
      Type.String({
        pattern: "^https?://",
        description: "Authorization server. Defaults to the one that the server names; required beside `clientId`.",
      }),
    ),
    clientId: Type.Optional(
      Type.String({ minLength: 1, description: "The gateway's id there, registered beforehand." }),
    ),
    clientSecret: Type.Optional(Type.String({ minLength: 1, description: secret })),
    tokenEndpointAuthMethod: Type.Optional(
      Type.Enum(["client_secret_basic", "client_secret_post"], {
        description: "How the secret is sent. Defaults to what the authorization server supports, basic first.",
      }),
    ),
    privateKey: Type.Optional(
      Type.String({ minLength: 1, description: "A reference to a key in PEM: `private_key_jwt` instead of a secret." }),
    ),
    assertion: Type.Optional(
      Type.String({
        minLength: 1,
        description:
          "Of `jwt-bearer`: a reference to the JWT that the platform gives this workload, such as a projected service account token of Kubernetes.",
      }),
    ),
    keyId: Type.Optional(Type.String({ minLength: 1, description: "`kid` of the private key. Defaults to none." })),
    clientMetadataUrl: Type.Optional(
      Type.String({
        pattern: "^https://",
        description: "URL of a Client ID Metadata Document of your own, used where it is supported. Defaults to none.",
      }),
    ),
    scopes: Type.Optional(
      Type.Array(Type.String({ minLength: 1 }), { description: "Defaults to those that the server wants." }),
    ),
    audience: Type.Optional(
      Type.String({ minLength: 1, description: "`audience` of a token exchange. Defaults to none." }),
    ),
    redirectPort: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 65535,
        description: "Of `mcp-fleet login` on loopback. Defaults to a free one.",
      }),
    ),
  },
  options,
);

/** How a server lets the gateway in; exactly one kind. The token of a caller never goes to a server. */
export const Credentials = Type.Object(
  {
    header: Type.Optional(HeaderCredentials),
    callers: Type.Optional(CallerCredentials),
    oauth: Type.Optional(OAuthCredentials),
  },
  options,
);

export type Credentials = Static<typeof Credentials>;
