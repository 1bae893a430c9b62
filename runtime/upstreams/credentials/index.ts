import { isDeepStrictEqual } from "node:util";
import type { ResolvedServer } from "../../config/index.ts";
import { FleetError } from "../../errors.ts";
import { UpstreamTls } from "../upstream-tls.ts";
import type { Credentials } from "./credentials.ts";
import { credentialFailure } from "./failure.ts";
import type { LoginResult } from "./login.ts";
import { type CredentialsOptions, ServerCredentials } from "./server-credentials.ts";
import type { TokenStore } from "./token-store.ts";

export type { Credentials } from "./credentials.ts";
export { headersOfLines, isRefusal } from "./credentials.ts";
export { isPerCaller } from "./server-credentials.ts";
export { TokenStore } from "./token-store.ts";

/** What tokens are sealed for in the state folder. */
export const sealingPurpose = "upstream credentials";

/** How the gateway is let in by the servers behind it. Changed secrets are taken over in place: sessions go on. */
export class UpstreamCredentials {
  readonly #options: CredentialsOptions;
  readonly #servers = new Map<string, ServerCredentials>();

  constructor(options: CredentialsOptions) {
    this.#options = options;
    options.metrics.gaugeByServer("mcp_upstream_tokens", "Access tokens held for servers.", () =>
      [...this.#servers].map(([name, { held }]) => [name, held] as const),
    );
  }

  /** Takes over the credentials of a configuration. */
  apply(servers: readonly ResolvedServer[]): void {
    const named = new Map(servers.map((server) => [server.name, server]));
    for (const name of this.#servers.keys()) if (named.get(name)?.credentials === undefined) this.#servers.delete(name);
    for (const { name, credentials, tls, ...reached } of servers) {
      if (credentials === undefined) continue;
      const endpoints = reached.endpoints ?? reached.discovery?.static?.map(({ url }) => url) ?? [];
      const server = { name, credentials, endpoints, ...(tls === undefined ? {} : { tls }) };
      const known = this.#servers.get(name);
      if (known === undefined) this.#servers.set(name, new ServerCredentials(server, this.#options));
      else if (!isDeepStrictEqual(server, known.settings)) known.replace(server);
    }
  }

  /** What requests to a server carry; undefined when it lets everybody in. */
  for(server: string): Credentials | undefined {
    return this.#servers.get(server);
  }

  /** Everything that must not appear in a log, tokens included. */
  secrets(): readonly string[] {
    return [...this.#servers.values()].flatMap((server) => server.secrets);
  }
}

export interface LoginToOptions {
  readonly store: TokenStore;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  /** Shows a person the page of the authorization server. */
  readonly open: (page: URL) => void;
  /** How long the person may take, in milliseconds. */
  readonly timeoutMs: number;
}

/**
 * Lets a person log in for a server, and keeps the tokens for the gateway. Rejects with CONFIG_INVALID for a server that
 * needs no login, with UPSTREAM_CREDENTIALS when it fails.
 */
export async function loginTo(server: ResolvedServer, options: LoginToOptions): Promise<LoginResult> {
  const { name, credentials, endpoints, discovery, tls } = server;
  const settings = credentials?.oauth;
  const endpoint = endpoints?.[0] ?? discovery?.static?.[0]?.url;
  if (settings?.grant !== "authorization-code" || endpoint === undefined) {
    const fix = `set servers.${name}.credentials.oauth.grant to authorization-code if it does`;
    throw new FleetError("CONFIG_INVALID", `servers.${name}: needs no login; ${fix}`);
  }
  const [{ login }, { OAuthHttp }] = await Promise.all([import("./login.ts"), import("./oauth-http.ts")]);
  const secrets = [settings.clientSecret, settings.privateKey].filter((secret) => secret !== undefined);
  return login({
    ...options,
    ...{ server: name, settings, url: new URL(endpoint) },
    http: new OAuthHttp({
      ask: tls && new UpstreamTls({ server: name, tls }).fetch,
      named: settings.issuer === undefined ? [endpoint] : [endpoint, settings.issuer],
    }),
    failure: (url, cause) => credentialFailure(name, secrets, url, cause),
  });
}
