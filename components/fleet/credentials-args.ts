import type * as pulumi from "@pulumi/pulumi";

/** One secret in a header, the same for every caller. */
export interface FleetHeaderCredentialsArgs {
  /** Name of the header. Defaults to `Authorization`. */
  name?: pulumi.Input<string>;
  /** Stands before the secret, such as `Bearer`. Defaults to none. */
  scheme?: pulumi.Input<string>;
  /** A reference such as `${NAME}` or `file:/path`, resolved by the gateway. */
  value: pulumi.Input<string>;
}

/** A secret in a header for each caller. */
export interface FleetCallerCredentialsArgs {
  /** Name of the header. Defaults to `Authorization`. */
  name?: pulumi.Input<string>;
  /** Stands before the secret, such as `Bearer`. Defaults to none. */
  scheme?: pulumi.Input<string>;
  /** Caller's name → reference to its secret. Other callers are refused. */
  secrets: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /** A reference to the secret for what the gateway asks for itself, such as lists. Defaults to none. */
  gateway?: pulumi.Input<string>;
}

/** Access tokens of an authorization server. */
export interface FleetOAuthCredentialsArgs {
  /** `client-credentials`: the gateway for itself. `authorization-code`: a person has logged in once. `token-exchange`: for each caller. `jwt-bearer`: the gateway as a workload of its platform. */
  grant: pulumi.Input<string>;
  /** Authorization server. Defaults to the one that the server names; required beside `clientId`. */
  issuer?: pulumi.Input<string>;
  /** The gateway's id there, registered beforehand. Defaults to none. */
  clientId?: pulumi.Input<string>;
  /** A reference to the client's secret. Defaults to none. */
  clientSecret?: pulumi.Input<string>;
  /** How the secret is sent: `client_secret_basic` or `client_secret_post`. Defaults to what the authorization server supports, basic first. */
  tokenEndpointAuthMethod?: pulumi.Input<string>;
  /** A reference to a key in PEM: `private_key_jwt` instead of a secret. Defaults to none. */
  privateKey?: pulumi.Input<string>;
  /** Of `jwt-bearer`: a reference to the JWT that the platform gives this workload. Defaults to none. */
  assertion?: pulumi.Input<string>;
  /** `kid` of the private key. Defaults to none. */
  keyId?: pulumi.Input<string>;
  /** URL of a Client ID Metadata Document of your own, used where it is supported. Defaults to none. */
  clientMetadataUrl?: pulumi.Input<string>;
  /** Scopes to ask for. Defaults to those that the server wants. */
  scopes?: pulumi.Input<pulumi.Input<string>[]>;
  /** `audience` of a token exchange. Defaults to none. */
  audience?: pulumi.Input<string>;
  /** Port of `mcp-fleet login` on loopback. Defaults to a free one. */
  redirectPort?: pulumi.Input<number>;
}

/** How a server lets the gateway in; exactly one kind. The token of a caller never goes to a server. */
export interface FleetCredentialsArgs {
  /** The same secret for every caller. Defaults to none. */
  header?: FleetHeaderCredentialsArgs;
  /** A secret for each caller. Defaults to none. */
  callers?: FleetCallerCredentialsArgs;
  /** Access tokens. Defaults to none. */
  oauth?: FleetOAuthCredentialsArgs;
}
