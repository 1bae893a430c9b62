import { plainNumber } from "../protocol/exact-number.ts";
import type { Params, RpcReply } from "../protocol/json-rpc.ts";
import type { Sharing } from "./coalescing.ts";

export interface CachePolicyOptions {
  /** The tools whose answers are kept, and for how many milliseconds. */
  readonly tools: Readonly<Record<string, number>>;
  /** Among whom answers of tools are shared. */
  readonly toolSharing: Sharing;
  /** How long a resource is kept whose server does not say (`ttlMs`); 0 not at all. */
  readonly resourcesMs: number;
}

/** What is dropped together when the server says that something has changed. */
export type CacheTag = "tools" | "prompts" | "resources" | "contents";

/** How an answer may be kept. */
export interface CacheTerms {
  readonly ttlMs: number;
  readonly sharing: Sharing;
  /** The server itself said how long: who gets the answer later is told what is left. */
  readonly declared: boolean;
}

/** The cacheable methods (server/utilities/caching) and tool calls, which are kept only where the operator says so. */
const tags: ReadonlyMap<string, CacheTag> = new Map([
  ["tools/call", "tools"],
  ["tools/list", "tools"],
  ["prompts/list", "prompts"],
  ["resources/list", "resources"],
  ["resources/templates/list", "resources"],
  ["resources/read", "contents"],
]);
/** Nothing is kept longer, whatever a server says. */
const longestTtlMs = 24 * 60 * 60_000;

/** Decides which answers may be kept, for how long and for whom. */
export class CachePolicy {
  readonly #options: CachePolicyOptions;
  readonly #tools: ReadonlyMap<string, number>;

  constructor(options: CachePolicyOptions) {
    this.#options = options;
    this.#tools = new Map(Object.entries(options.tools));
  }

  /** The tag of an answer that may be kept; undefined when it never may. */
  tagOf(method: string, params: Params | undefined): CacheTag | undefined {
    if (method === "tools/call" && !this.#tools.has(params?.name as string)) return undefined;
    return tags.get(method);
  }

  /** Who may share the answer of a call whose tag is known, as far as that is known before the answer. */
  sharingOf(method: string): Sharing {
    return method === "tools/call" ? this.#options.toolSharing : "caller";
  }

  /** How this answer may be kept; undefined when it may not: it failed, is a question, or is stale at once. */
  termsOf(method: string, params: Params | undefined, reply: RpcReply): CacheTerms | undefined {
    if ("error" in reply) return undefined;
    const result = reply.result as Params;
    if (result.isError === true || (result.resultType ?? "complete") !== "complete") return undefined;
    if (method === "tools/call") {
      const ttlMs = this.#tools.get(params?.name as string) ?? 0;
      return ttlMs > 0 ? { ttlMs, sharing: this.#options.toolSharing, declared: false } : undefined;
    }
    const ttlMs = plainNumber(result.ttlMs);
    const declared = typeof ttlMs === "number" && Number.isFinite(ttlMs);
    const wanted = declared ? ttlMs : method === "resources/read" ? this.#options.resourcesMs : 0;
    if (wanted <= 0) return undefined;
    const sharing = result.cacheScope === "public" ? "everyone" : "caller";
    return { ttlMs: Math.min(wanted, longestTtlMs), sharing, declared };
  }
}
