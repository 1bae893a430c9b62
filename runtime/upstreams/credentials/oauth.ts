import type { Fetch } from "../upstream-tls.ts";
import type { Credentials } from "./credentials.ts";
import { LoginCredentials } from "./login-credentials.ts";
import { MachineCredentials } from "./machine-credentials.ts";
import { OAuthHttp } from "./oauth-http.ts";
import type { OAuthOptions } from "./oauth-options.ts";

/** The way to tokens that the configuration names, and how many are held; loaded with the first server that has one. */
export function oauthCredentials({
  ask,
  endpoints,
  ...options
}: Omit<OAuthOptions, "http"> & { readonly ask: Fetch | undefined; readonly endpoints: readonly string[] }): {
  readonly credentials: Credentials;
  readonly held: () => number;
} {
  const { issuer } = options.settings;
  const http = new OAuthHttp({ ask, named: issuer === undefined ? endpoints : [...endpoints, issuer] });
  if (options.settings.grant === "authorization-code") {
    return { credentials: new LoginCredentials({ ...options, http }), held: () => 1 };
  }
  const credentials = new MachineCredentials({ ...options, http });
  return { credentials, held: () => credentials.size };
}
