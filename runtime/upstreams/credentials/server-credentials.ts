import type { Logger } from "pino";
import type { ResolvedServer } from "../../config/index.ts";
import type { Metrics } from "../../observability/metrics.ts";
import { UpstreamTls } from "../upstream-tls.ts";
import type { Credentials, Refusal } from "./credentials.ts";
import { credentialFailure } from "./failure.ts";
import type { OAuthSettings } from "./oauth-settings.ts";
import { StaticCredentials } from "./static-credentials.ts";
import type { StoredTokens, TokenStore } from "./token-store.ts";

export interface CredentialsOptions {
  readonly store: TokenStore;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly metrics: Metrics;
  readonly log: Logger;
}

type Settings = NonNullable<ResolvedServer["credentials"]>;
/** The parts of a server that decide about its credentials. */
export type CredentialedServer = Pick<ResolvedServer, "name" | "tls"> & {
  readonly credentials: Settings;
  /** The addresses that the configuration lists. */
  readonly endpoints: readonly string[];
};

/** Tokens that were got last and are kept out of the logs. */
const maxSecretTokens = 100;

/** Does each caller come with credentials of its own, by the configuration? */
export const isPerCaller = ({ callers, oauth }: Settings): boolean =>
  callers !== undefined || oauth?.grant === "token-exchange";

/** The credentials of one server, whatever their kind; another kind can take their place while sessions go on. */
export class ServerCredentials implements Credentials {
  readonly #server: string;
  readonly #options: CredentialsOptions;
  #configured: CredentialedServer;
  #current: Credentials | Promise<Credentials>;
  #held: () => number = () => 0;
  #tokens: string[] = [];

  constructor(server: CredentialedServer, options: CredentialsOptions) {
    this.#server = server.name;
    this.#options = options;
    this.#configured = server;
    this.#current = this.#make(server.credentials);
  }

  /** What the configuration says. */
  get settings(): CredentialedServer {
    return this.#configured;
  }

  /** Access tokens held. */
  get held(): number {
    return this.#held();
  }

  get secrets(): readonly string[] {
    const { header, callers, oauth } = this.#configured.credentials;
    const configured = [header?.value, callers?.gateway, oauth?.clientSecret, oauth?.assertion];
    const own = configured.filter((secret) => secret !== undefined);
    // A log has a key on one line, a key its lines: each one counts.
    const key = oauth?.privateKey?.split("\n").filter((line) => line !== "" && !line.startsWith("-----")) ?? [];
    return [...own, ...key, ...Object.values(callers?.secrets ?? {}), ...this.#tokens];
  }

  get perCaller(): boolean {
    return isPerCaller(this.#configured.credentials);
  }

  replace(server: CredentialedServer): void {
    this.#configured = server;
    this.#current = this.#make(server.credentials);
    this.#options.log.info({ server: this.#server }, "credentials replaced");
  }

  linesFor(url: URL, caller: string | undefined): string | Promise<string> {
    const current = this.#current;
    return current instanceof Promise ? current.then((it) => it.linesFor(url, caller)) : current.linesFor(url, caller);
  }

  async refused(url: URL, caller: string | undefined, refusal: Refusal): Promise<void> {
    return (await this.#current).refused(url, caller, refusal);
  }

  #make({ header, callers, oauth }: Settings): Credentials | Promise<Credentials> {
    this.#held = () => 0;
    if (header !== undefined) return StaticCredentials.header(this.#server, header);
    if (callers !== undefined) return StaticCredentials.callers(this.#server, callers);
    const made = this.#oauth(oauth as OAuthSettings);
    void made.then((credentials) => {
      if (this.#current === made) this.#current = credentials;
    });
    return made;
  }

  async #oauth(settings: OAuthSettings): Promise<Credentials> {
    // Loaded with the first server that wants it: others save the megabytes.
    const { oauthCredentials } = await import("./oauth.ts");
    const { store, clock, log, metrics } = this.#options;
    const server = this.#server;
    const { grant } = settings;
    const { tls, endpoints } = this.#configured;
    const ask = tls && new UpstreamTls({ server, tls, log }).fetch;
    const { credentials, held } = oauthCredentials({
      server,
      settings,
      store,
      clock,
      ask,
      endpoints,
      onToken: (issuer: string, tokens: StoredTokens, caller: string | undefined) => {
        this.#tokens = [...this.#tokens, tokens.accessToken, tokens.refreshToken ?? ""].slice(-maxSecretTokens);
        metrics.tokenRequested(server, grant, "ok");
        log.info({ server, issuer, grant, caller, scopes: tokens.scopes }, "token got");
      },
      failure: (url: URL, cause: unknown) => {
        metrics.tokenRequested(server, grant, "error");
        return credentialFailure(server, this.secrets, url, cause);
      },
    });
    this.#held = held;
    return credentials;
  }
}
