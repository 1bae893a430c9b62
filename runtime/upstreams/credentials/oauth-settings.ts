/** `credentials.oauth` of a configuration, references resolved. */
export interface OAuthSettings {
  readonly grant: "client-credentials" | "authorization-code" | "token-exchange" | "jwt-bearer";
  readonly issuer?: string;
  readonly clientId?: string;
  readonly clientSecret?: string;
  readonly tokenEndpointAuthMethod?: "client_secret_basic" | "client_secret_post";
  /** PEM. */
  readonly privateKey?: string;
  /** This workload's JWT, for `jwt-bearer`. */
  readonly assertion?: string;
  readonly keyId?: string;
  readonly clientMetadataUrl?: string;
  readonly scopes?: readonly string[];
  readonly audience?: string;
  readonly redirectPort?: number;
}
