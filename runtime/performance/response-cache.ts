import { Exchange } from "../protocol/exchange.ts";
import type { Params, RpcReply } from "../protocol/json-rpc.ts";
import { RawReply } from "../protocol/raw-reply.ts";
import type { FleetClient } from "../registry/fleet.ts";
import type { FleetCall } from "../registry/fleet-call.ts";
import type { CachePolicy, CacheTag, CacheTerms } from "./cache-policy.ts";
import { type CacheEntry, CacheStore } from "./cache-store.ts";
import { audienceOf, isContinuation, requestKey } from "./call-key.ts";
import type { SharedEntry, SharedSpace } from "./shared-cache.ts";
import { textOf } from "./stored-reply.ts";

/** What a look-up came to: `stale` was answered at once while a fresh answer is fetched, `shared` came from Redis. */
export type CacheOutcome = "hit" | "stale" | "shared" | "miss";

export interface ResponseCacheOptions {
  readonly isolation: string;
  readonly policy: CachePolicy;
  /** After its time an answer still serves for so many milliseconds, while a fresh one is fetched. */
  readonly staleMs: number;
  readonly maxBytes: number;
  /** Deadline of a fetch that no client waits for. */
  readonly timeoutMs: number;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  readonly onLookup: (outcome: CacheOutcome) => void;
  /** Beyond this process; absent without Redis. */
  readonly shared?: SharedSpace | undefined;
}

/** One call with what is needed to keep its answer. */
interface Lookup {
  readonly client: FleetClient;
  readonly method: string;
  readonly params: Params | undefined;
  readonly tag: CacheTag;
  /** Key among everyone. */
  readonly open: string;
  /** Key of the audience; no audience holds a key of everyone. */
  readonly own: string;
}

/**
 * Answers a call with an earlier answer, where server or operator allow that. Only success is kept, for the caller alone
 * unless it is public, never what depends on a question to the client. Identical calls that miss together are one call
 * upstream: that is the next stage's work (`Coalescing`).
 */
export class ResponseCache {
  readonly #next: FleetCall;
  readonly #options: ResponseCacheOptions;
  readonly #store: CacheStore;

  constructor(next: FleetCall, options: ResponseCacheOptions) {
    this.#next = next;
    this.#options = options;
    this.#store = new CacheStore(options.maxBytes);
  }

  get bytes(): number {
    return this.#store.bytes;
  }

  get size(): number {
    return this.#store.size;
  }

  readonly call: FleetCall = (client, method, params, exchange) => {
    const { policy, isolation } = this.#options;
    const tag = policy.tagOf(method, params);
    if (tag === undefined || isContinuation(params)) return this.#next(client, method, params, exchange);
    const open = requestKey(method, params);
    const own = audienceOf(client, isolation) + open;
    const lookup: Lookup = { client, method, params, tag, open, own };
    const found = exchange.useCache ? this.#find(lookup) : undefined;
    return found === undefined ? this.#fetch(lookup, exchange) : Promise.resolve(found);
  };

  /** The server says that something has changed; with a URI only the contents of that resource. */
  invalidate(tag: CacheTag, uri?: string): void {
    this.#store.invalidate(tag, uri);
    this.#options.shared?.invalidate(tag);
  }

  /** Another version of the server answers from now on. */
  clear(): void {
    this.#store.clear();
    for (const tag of ["tools", "prompts", "resources", "contents"] as const) this.#options.shared?.invalidate(tag);
  }

  #find(lookup: Lookup): RpcReply | undefined {
    const { now, onLookup } = this.#options;
    let key = lookup.open;
    let entry = this.#store.get(key);
    if (entry === undefined) {
      key = lookup.own;
      entry = this.#store.get(key);
    }
    if (entry === undefined) return undefined;
    const time = now();
    if (time < entry.freshUntil) {
      onLookup("hit");
      return served(entry, time);
    }
    if (time >= entry.staleUntil) {
      this.#store.delete(key);
      return undefined;
    }
    onLookup("stale");
    if (!entry.refreshing) this.#refresh(lookup, entry);
    return served(entry, time);
  }

  #refresh(lookup: Lookup, entry: CacheEntry): void {
    entry.refreshing = true;
    // A failure leaves the entry until its end; the next caller tries again.
    void this.#ask(lookup, new Exchange(this.#options.timeoutMs))
      .catch(() => {})
      .finally(() => {
        entry.refreshing = false;
      });
  }

  async #fetch(lookup: Lookup, exchange: Exchange): Promise<RpcReply> {
    const { shared, onLookup, now } = this.#options;
    let generation: string | undefined;
    if (shared !== undefined && exchange.useCache) {
      const epoch = this.#store.epoch;
      const found = await shared.find(lookup.tag, lookup.open, this.#sharedKey(lookup));
      generation = found?.generation;
      if (found?.entry !== undefined) {
        const entry = this.#adopt(lookup, found.entry);
        if (epoch === this.#store.epoch) this.#store.set(found.entry.open ? lookup.open : lookup.own, entry);
        onLookup("shared");
        return served(entry, now());
      }
    }
    onLookup("miss");
    return this.#ask(lookup, exchange, generation);
  }

  /** Asks the server and keeps what may be kept. */
  async #ask(lookup: Lookup, exchange: Exchange, generation?: string): Promise<RpcReply> {
    const { client, method, params } = lookup;
    const { policy } = this.#options;
    const { epoch } = this.#store;
    const reply = await this.#next(client, method, params, exchange);
    const terms = policy.termsOf(method, params, reply);
    // What a fallback said was judged for this caller alone.
    if (terms !== undefined && epoch === this.#store.epoch && !exchange.fellBack)
      this.#keep(lookup, terms, textOf(reply, terms.declared), generation);
    return reply;
  }

  #keep(lookup: Lookup, { ttlMs, sharing, declared }: CacheTerms, text: string, generation: string | undefined): void {
    const { staleMs, now, shared } = this.#options;
    const open = sharing === "everyone";
    const freshUntil = now() + ttlMs;
    const { tag } = lookup;
    const uri = uriOf(lookup);
    const entry = { tag, uri, text, declared, freshUntil, staleUntil: freshUntil + staleMs, refreshing: false };
    this.#store.set(open ? lookup.open : lookup.own, entry);
    const key = open ? lookup.open : this.#sharedKey(lookup);
    if (generation === undefined || key === undefined) return;
    shared?.keep(key, { text, declared, freshMs: ttlMs, staleMs, open }, generation);
  }

  #adopt(lookup: Lookup, { text, declared, freshMs, staleMs }: SharedEntry): CacheEntry {
    const freshUntil = this.#options.now() + freshMs;
    const { tag } = lookup;
    return { tag, uri: uriOf(lookup), text, declared, freshUntil, staleUntil: freshUntil + staleMs, refreshing: false };
  }

  /** A session without a caller means nothing to other processes. */
  #sharedKey({ client, own }: Lookup): string | undefined {
    const named = (client.reader ?? client.caller) !== undefined && this.#options.isolation !== "session";
    return named ? own : undefined;
  }
}

const uriOf = ({ tag, params }: Lookup): string | undefined =>
  tag === "contents" ? (params?.uri as string | undefined) : undefined;

/** The answer as it is given now: what is left of a declared time, not what it once was. */
function served({ text, declared, freshUntil }: CacheEntry, time: number): RpcReply {
  return new RawReply(declared ? `{"ttlMs":${Math.max(0, Math.floor(freshUntil - time))},${text}` : text);
}
