import type { FleetError } from "../../errors.ts";
import type { OAuthHttp } from "./oauth-http.ts";
import type { OAuthSettings } from "./oauth-settings.ts";
import type { StoredTokens, TokenStore } from "./token-store.ts";

/** What getting tokens for one server needs. */
export interface OAuthOptions {
  readonly server: string;
  readonly settings: OAuthSettings;
  readonly store: TokenStore;
  readonly http: OAuthHttp;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  /** A token was got, for a caller or for the gateway itself. */
  readonly onToken: (issuer: string, tokens: StoredTokens, caller: string | undefined) => void;
  /** The error for a token that cannot be had; its text holds no secret. */
  readonly failure: (url: URL, cause: unknown) => FleetError;
}
