import { performance } from "node:perf_hooks";
import { Histogram, type Registry } from "prom-client";
import { FleetError } from "../../errors.ts";
import { withNumbers } from "../../protocol/exact-number.ts";
import { Exchange } from "../../protocol/exchange.ts";
import type { Params } from "../../protocol/json-rpc.ts";
import type { Priority } from "../../protocol/priority.ts";
import type { FleetCall } from "../../registry/fleet-call.ts";
import { CachePolicy } from "../cache-policy.ts";
import { Coalescing, type Sharing } from "../coalescing.ts";
import type { ConnectionPool } from "../pools/index.ts";
import { ResponseCache } from "../response-cache.ts";
import {
  type BatchCacheConfig,
  type BatchConfig,
  checkBatchCache,
  type ResolvedBatchConfig,
  resolveBatching,
} from "./batch-config.ts";
import { BatchEndpoint } from "./batch-endpoint.ts";
import { Batcher, type BatchUpstream } from "./batcher.ts";
import { Pipeline } from "./pipeline.ts";

const sizesName = "mcp_batch_size";

export interface RequestBatchingEngineOptions {
  /** Where `mcp_batch_size` is registered; engines can share one. Defaults to nowhere. */
  readonly registry?: Registry;
  /** Milliseconds of a clock that never goes back. Defaults to that of the process. */
  readonly now?: () => number;
}

/** Options of one request. */
export interface BatchRequestOptions {
  /** Defaults to `normal`. */
  readonly priority?: Priority;
  /** May an earlier answer serve? Defaults to true. */
  readonly useCache?: boolean;
  /** In milliseconds. Defaults to 120000. */
  readonly timeout?: number;
  /** Who asks: answers are kept for each caller apart. Defaults to the program. */
  readonly caller?: string;
  /** Gives the request up when it is aborted. */
  readonly signal?: AbortSignal;
}

/** What an engine has done for one server. */
export interface BatchStatistics {
  readonly server: string;
  readonly waiting: number;
  readonly batches: number;
  readonly requests: number;
  readonly deduplicated: number;
  readonly cacheHits: number;
  readonly cacheMisses: number;
  readonly cacheBytes: number;
}

/** Methods that change nothing: identical ones may share an answer. */
const readers = new Set([
  ...["tools/list", "prompts/list", "prompts/get", "resources/list", "resources/read", "resources/templates/list"],
  ...["completion/complete", "ping"],
]);
const cacheDefaults = {
  ...{ enabled: true, tools: {}, toolSharing: "caller" as Sharing, resourcesMs: 0, staleMs: 0 },
  maxBytes: 16 * 1024 * 1024,
};
const defaultTimeoutMs = 120_000;

interface Lane {
  readonly batcher: Batcher;
  readonly cache: ResponseCache | undefined;
  readonly call: FleetCall;
  readonly counts: { batches: number; requests: number; deduplicated: number; cacheHits: number; cacheMisses: number };
}

/**
 * Sends requests of a program to MCP servers in batches: cache → deduplication → priorities → batches, by size and time,
 * as JSON-RPC arrays to servers that take them, one behind the other over a pooled connection to others.
 */
export class RequestBatchingEngine {
  readonly #config: ResolvedBatchConfig;
  readonly #cache: Required<BatchCacheConfig>;
  readonly #now: () => number;
  readonly #sizes: Histogram<"server"> | undefined;
  readonly #lanes = new Map<string, Lane>();

  /** Throws CONFIG_INVALID for a wrong setting. */
  constructor(
    batchConfig: BatchConfig = {},
    cacheConfig: BatchCacheConfig = {},
    { registry, now = () => performance.now() }: RequestBatchingEngineOptions = {},
  ) {
    this.#config = resolveBatching(batchConfig);
    checkBatchCache(cacheConfig);
    this.#cache = { ...cacheDefaults, ...cacheConfig };
    this.#now = now;
    if (registry === undefined) return;
    const known = registry.getSingleMetric(sizesName);
    if (known instanceof Histogram) {
      this.#sizes = known as Histogram<"server">;
      return;
    }
    this.#sizes = new Histogram({
      name: sizesName,
      help: "Requests of one batch.",
      labelNames: ["server"],
      buckets: [1, 2, 5, 10, 20, 50, 100],
      registers: [registry],
    });
  }

  /** A server that takes JSON-RPC arrays at this URL: `/batch` of a server host. */
  addEndpoint(server: string, url: string, headers: Readonly<Record<string, string>> = {}): void {
    const { compressFrom } = this.#config;
    this.addUpstream(server, new BatchEndpoint({ name: server, url, headers, compressFrom }));
  }

  /** A server behind a connection pool: requests are pipelined. */
  addPool(server: string, pool: ConnectionPool): void {
    this.addUpstream(server, new Pipeline(pool));
  }

  /** A server behind anything that takes several calls at once. Throws CONFIG_INVALID for a name that is taken. */
  addUpstream(server: string, upstream: BatchUpstream): void {
    if (this.#lanes.has(server))
      throw new FleetError("CONFIG_INVALID", `batching: server "${server}" is there already`);
    this.#lanes.set(server, this.#lane(server, upstream));
  }

  /** Resolves with the server's result; rejects with a FleetError, UPSTREAM_PROTOCOL for the server's own error. */
  async execute(server: string, method: string, params?: Params, options: BatchRequestOptions = {}): Promise<unknown> {
    const lane = this.#lanes.get(server);
    if (lane === undefined) {
      const names = [...this.#lanes.keys()].join(", ");
      const text = `no server is called "${server}"; there are: ${names === "" ? "none" : names}`;
      throw new FleetError("SERVER_UNKNOWN", text);
    }
    const { priority, useCache = true, timeout = defaultTimeoutMs, caller = "program", signal } = options;
    const exchange = new Exchange(timeout);
    exchange.priority = priority;
    exchange.useCache = useCache;
    const cancel = () => exchange.cancel("aborted");
    if (signal?.aborted === true) cancel();
    signal?.addEventListener("abort", cancel, { once: true });
    lane.counts.requests += 1;
    try {
      const reply = await lane.call({ owner: caller, caller }, method, params, exchange);
      if ("result" in reply) return withNumbers(reply.result);
      throw new FleetError("UPSTREAM_PROTOCOL", `${server}: ${reply.error.message}`, { data: { error: reply.error } });
    } finally {
      signal?.removeEventListener("abort", cancel);
    }
  }

  /** Of every server, in the order in which they were added. */
  statistics(): BatchStatistics[] {
    return [...this.#lanes].map(([server, { batcher, cache, counts }]) => ({
      ...{ server, waiting: batcher.waiting, ...counts, cacheBytes: cache?.bytes ?? 0 },
    }));
  }

  /** Refuses what waits and gives up what is under way to endpoints; pools are their owners'. */
  async close(): Promise<void> {
    await Promise.all([...this.#lanes.values()].map(({ batcher }) => batcher.close()));
    this.#lanes.clear();
  }

  #lane(server: string, upstream: BatchUpstream): Lane {
    const counts = { batches: 0, requests: 0, deduplicated: 0, cacheHits: 0, cacheMisses: 0 };
    const { deduplication, batchTimeout, maxConcurrentBatches, maxQueueSize, ...rest } = this.#config;
    const now = this.#now;
    const batcher = new Batcher({
      ...{ ...rest, name: server, upstream, now, batchTimeoutMs: batchTimeout, maxInFlight: maxConcurrentBatches },
      maxWaiting: maxQueueSize,
      onBatch: (size) => {
        counts.batches += 1;
        this.#sizes?.observe({ server }, size);
      },
    });
    const policy = new CachePolicy(this.#cache);
    let call: FleetCall = batcher.call;
    if (deduplication.enabled) {
      const tools = new Set([...deduplication.tools, ...Object.keys(this.#cache.tools)]);
      const shares = (method: string, params: Params | undefined): Sharing | undefined =>
        readers.has(method) || (method === "tools/call" && tools.has(params?.name as string)) ? "caller" : undefined;
      const onCoalesced = () => {
        counts.deduplicated += 1;
      };
      call = new Coalescing(call, { isolation: "caller", shares, onCoalesced }).call;
    }
    if (!this.#cache.enabled) return { batcher, cache: undefined, call, counts };
    const cache = new ResponseCache(call, {
      ...{ isolation: "caller", policy, now, timeoutMs: defaultTimeoutMs },
      ...{ staleMs: this.#cache.staleMs, maxBytes: this.#cache.maxBytes },
      onLookup: (outcome) => {
        counts[outcome === "miss" ? "cacheMisses" : "cacheHits"] += 1;
      },
    });
    return { batcher, cache, call: cache.call, counts };
  }
}
