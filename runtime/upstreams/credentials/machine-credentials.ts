import { LRUCache } from "lru-cache";
import { union } from "../../security/scopes.ts";
import { bearerChallenge } from "./challenge.ts";
import { clientIdentity } from "./client-identity.ts";
import { type Credentials, isRefusal, type Refusal } from "./credentials.ts";
import { type AuthorizationContext, discover } from "./discovery.ts";
import { clientCredentials, exchange, workload } from "./grants.ts";
import { type HeldToken, holdToken } from "./held-token.ts";
import type { OAuthOptions } from "./oauth-options.ts";

/** Tokens of one caller for one endpoint, and what was asked for. */
interface Entry {
  scopes: readonly string[] | undefined;
  context: AuthorizationContext | undefined;
  held: HeldToken | undefined;
  /** A request for a token under way: everybody waits for the same one. */
  pending: Promise<HeldToken> | undefined;
  /** The last request failed; until then it is not repeated. */
  failed: { readonly error: unknown; readonly until: number } | undefined;
}

/** Callers times endpoints whose tokens are kept; the least recently used one goes first. */
const maxEntries = 10_000;
/** An authorization server that has refused is left alone for so long. */
const pauseMs = 5000;

/** Tokens that the gateway gets without a person: for itself, or for each caller by token exchange. */
export class MachineCredentials implements Credentials {
  readonly perCaller: boolean;
  readonly #options: OAuthOptions;
  readonly #entries = new LRUCache<string, Entry>({ max: maxEntries });

  constructor(options: OAuthOptions) {
    this.#options = options;
    this.perCaller = options.settings.grant === "token-exchange";
  }

  linesFor(url: URL, caller: string | undefined): string | Promise<string> {
    const entry = this.#entry(url, caller);
    const { held } = entry;
    if (held !== undefined && this.#options.clock() < held.renewAt) return held.lines;
    return this.#obtain(entry, url, caller).then(({ lines }) => lines);
  }

  async refused(url: URL, caller: string | undefined, refusal: Refusal): Promise<void> {
    const entry = this.#entry(url, caller);
    // Somebody else's call was refused before and has brought a newer token.
    if (entry.held !== undefined && entry.held.lines !== refusal.sent) return;
    const { status } = refusal;
    const challenge = bearerChallenge(refusal.challenge);
    if (status === 403) {
      const granted = entry.held?.tokens.scopes ?? [];
      const missing = challenge.scopes.filter((scope) => !granted.includes(scope));
      if (challenge.error !== "insufficient_scope" || missing.length === 0) {
        throw this.#options.failure(url, `the server answered HTTP 403 to a token with the scopes that it asks for`);
      }
      entry.scopes = union(entry.scopes, granted, challenge.scopes);
    } else if (isRefusal(status) && challenge.scopes.length > 0 && this.#options.settings.scopes === undefined) {
      entry.scopes = union(entry.scopes, challenge.scopes);
    }
    entry.held = undefined;
    entry.context = undefined;
    await this.#obtain(entry, url, caller, refusal);
  }

  /** Access tokens in use. */
  get size(): number {
    return this.#entries.size;
  }

  #entry(url: URL, caller: string | undefined): Entry {
    const key = `${this.perCaller ? (caller ?? "") : ""}\n${url.href}`;
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      const { scopes } = this.#options.settings;
      entry = { scopes, context: undefined, held: undefined, pending: undefined, failed: undefined };
      this.#entries.set(key, entry);
    }
    return entry;
  }

  #obtain(entry: Entry, url: URL, caller: string | undefined, refusal?: Refusal): Promise<HeldToken> {
    const { clock } = this.#options;
    if (entry.pending !== undefined) return entry.pending;
    if (entry.failed !== undefined && clock() < entry.failed.until) return Promise.reject(entry.failed.error);
    entry.pending = this.#request(entry, url, caller, refusal)
      .then((held) => {
        entry.held = held;
        entry.failed = undefined;
        return held;
      })
      .catch((cause: unknown) => {
        const error = this.#options.failure(url, cause);
        entry.failed = { error, until: clock() + pauseMs };
        throw error;
      })
      .finally(() => {
        entry.pending = undefined;
      });
    return entry.pending;
  }

  async #request(entry: Entry, url: URL, caller: string | undefined, refusal?: Refusal): Promise<HeldToken> {
    const { server, settings, store, http, clock, onToken } = this.#options;
    const challenge = refusal && bearerChallenge(refusal.challenge);
    entry.context ??= await discover(http, url, challenge, settings.issuer);
    const { context } = entry;
    const identity = await clientIdentity({ server, settings, store, http }, context.as);
    const request = { http, context, identity, clock, scopes: entry.scopes ?? context.scopes ?? [] };
    const tokens =
      this.perCaller && caller !== undefined
        ? await exchange(request, caller, settings)
        : settings.grant === "jwt-bearer"
          ? await workload(request, settings.assertion ?? "")
          : await clientCredentials(request);
    onToken(context.as.issuer, tokens, caller);
    return holdToken(tokens, clock());
  }
}
