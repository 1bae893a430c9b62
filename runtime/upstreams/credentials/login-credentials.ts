import { isDeepStrictEqual } from "node:util";
import { FleetError } from "../../errors.ts";
import { union } from "../../security/scopes.ts";
import { bearerChallenge, type Challenge } from "./challenge.ts";
import { type ClientIdentity, clientIdentity } from "./client-identity.ts";
import type { Credentials, Refusal } from "./credentials.ts";
import { type AuthorizationContext, authorizationServer, discover } from "./discovery.ts";
import { oauthError } from "./failure.ts";
import { refresh } from "./grants.ts";
import { type HeldToken, holdToken } from "./held-token.ts";
import type { OAuthOptions } from "./oauth-options.ts";
import type { StoredTokens } from "./token-store.ts";

/** The authorization server does not know the client, or no longer lets it do this (RFC 6749, 5.2). */
const clientErrors: ReadonlySet<string | undefined> = new Set(["invalid_client", "unauthorized_client"]);

/**
 * Tokens for which a person has logged in once (`mcp-fleet login`): read from the store, refreshed as long as the
 * authorization server lets them be. What a server wants more is noted for the next login.
 */
export class LoginCredentials implements Credentials {
  readonly perCaller = false;
  readonly #options: OAuthOptions;
  #held: HeldToken | undefined;
  #pending: Promise<HeldToken | undefined> | undefined;

  constructor(options: OAuthOptions) {
    this.#options = options;
  }

  linesFor(url: URL): string | Promise<string> {
    if (this.#held !== undefined && this.#options.clock() < this.#held.renewAt) return this.#held.lines;
    return this.#once(() => this.#stored(url)).then((held) => held?.lines ?? "");
  }

  async refused(url: URL, _caller: string | undefined, refusal: Refusal): Promise<void> {
    const { server, settings, store, http, clock, failure } = this.#options;
    const challenge = bearerChallenge(refusal.challenge);
    if (refusal.status === 403 && challenge.error !== "insufficient_scope") {
      throw failure(url, "the server answered HTTP 403 to the token of the last login");
    }
    let context: AuthorizationContext;
    try {
      context = await discover(http, url, challenge, settings.issuer);
    } catch (error) {
      throw failure(url, error);
    }
    const { issuer } = context.as;
    const tokens = (await store.read(server)).tokens[issuer];
    const held = tokens && holdToken(tokens, clock());
    // A person has logged in meanwhile, or another call has brought a newer token.
    if (held !== undefined && held.lines !== refusal.sent && clock() < held.renewAt) {
      this.#held = held;
      return;
    }
    if (refusal.status === 401 && tokens?.refreshToken !== undefined) {
      if ((await this.#once(() => this.#renewed(context, tokens))) !== undefined) return;
    }
    throw await this.#loginNeeded(url, challenge, refusal.status === 403 ? tokens : undefined, tokens);
  }

  /** Notes what the server wants and says how to log in; a token that has all of it will not get better by that. */
  async #loginNeeded(
    url: URL,
    { scopes, resourceMetadata }: Challenge,
    insufficient: StoredTokens | undefined,
    before: StoredTokens | undefined,
  ): Promise<FleetError> {
    const { server, store, failure } = this.#options;
    if (insufficient !== undefined && scopes.every((scope) => insufficient.scopes.includes(scope))) {
      return failure(url, `the server wants ${scopes.join(", ")}, which the token of the last login has`);
    }
    this.#held = undefined;
    const wanted = {
      scopes: union(before?.scopes, scopes),
      ...(resourceMetadata === undefined ? {} : { resourceMetadata }),
    };
    const noted = (await store.read(server)).wanted;
    if (!isDeepStrictEqual(noted, wanted)) await store.update(server, (record) => ({ ...record, wanted }));
    const what = scopes.length === 0 ? "" : ` with ${scopes.join(", ")}`;
    const text = `${server}: ${url.origin} wants somebody to log in${what}; ${
      store.isKept
        ? `run \`mcp-fleet login ${server}\` with the --config and --state of this gateway`
        : "start the gateway with --state, which keeps logins, and log in there"
    }`;
    return new FleetError("UPSTREAM_LOGIN_NEEDED", text);
  }

  /** The tokens of the last login, fresh; undefined when there are none, or when they cannot be renewed. */
  async #stored(url: URL): Promise<HeldToken | undefined> {
    const { server, store, http, clock } = this.#options;
    const { current, tokens } = await store.read(server);
    const found = current === undefined ? undefined : tokens[current];
    if (current === undefined || found === undefined) return undefined;
    const held = holdToken(found, clock());
    if (clock() < held.renewAt || found.refreshToken === undefined) return held;
    try {
      const as = await authorizationServer(http, current);
      return await this.#renewed({ as, resource: found.resource, scopes: undefined }, found);
    } catch (error) {
      throw this.#options.failure(url, error);
    }
  }

  /** Undefined when the authorization server no longer wants to: then a person has to log in. */
  async #renewed(context: AuthorizationContext, before: StoredTokens): Promise<HeldToken | undefined> {
    const { server, settings, store, http, clock, onToken, failure } = this.#options;
    const { issuer } = context.as;
    return store.exclusively(server, async (record, save) => {
      const known = record.tokens[issuer];
      // Another worker was first: a refresh token that is used twice may cost the whole login (OAuth 2.1, 4.3.1).
      if (known !== undefined && known.accessToken !== before.accessToken) return holdToken(known, clock());
      const keep = (tokens: StoredTokens, clients = record.clients) =>
        save({ ...record, clients, tokens: { ...record.tokens, [issuer]: tokens } });
      let identity: ClientIdentity | undefined;
      try {
        identity = await clientIdentity({ server, settings, store, http }, context.as);
        const tokens = await refresh({ http, context, identity, clock, scopes: before.scopes }, before);
        await keep(tokens);
        onToken(issuer, tokens, undefined);
        return holdToken(tokens, clock());
      } catch (error) {
        const code = oauthError(error);
        // Many authorization servers forget registrations. The next login makes a new one; a configured client stays.
        const forgotten = identity?.registered !== undefined && clientErrors.has(code);
        if (code !== "invalid_grant" && !forgotten) throw failure(new URL(issuer), error);
        const { refreshToken: _spent, ...rest } = before;
        const { [issuer]: _registration, ...clients } = record.clients;
        await keep(rest, forgotten ? clients : record.clients);
        return undefined;
      }
    });
  }

  #once(work: () => Promise<HeldToken | undefined>): Promise<HeldToken | undefined> {
    this.#pending ??= work()
      .then((held) => {
        this.#held = held;
        return held;
      })
      .finally(() => {
        this.#pending = undefined;
      });
    return this.#pending;
  }
}
