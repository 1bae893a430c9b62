import { type Fields, refuseUnknown } from "../../config/known-fields.ts";
import { FleetError } from "../../errors.ts";
import type { Sharing } from "../coalescing.ts";

/** How requests are gathered, in the words of the specification. Times are in milliseconds. */
export interface BatchConfig {
  /** Requests of one batch. Defaults to 50. */
  readonly maxBatchSize?: number;
  /** Longest wait for company while other batches are under way; without any there is no wait. Defaults to 100. */
  readonly batchTimeout?: number;
  /** Batches under way at once for each server. Defaults to 4. */
  readonly maxConcurrentBatches?: number;
  /** Requests that may wait for each server. Defaults to 10000. */
  readonly maxQueueSize?: number;
  readonly priorities?: {
    /** A waiting request counts as one level more urgent after each such time, up to `high`. Defaults to 5000. */
    readonly ageMs?: number;
    /** Percent of the departures that a level gets at least. Defaults to 20, 10 and 5. */
    readonly minimumPercent?: { readonly high?: number; readonly normal?: number; readonly low?: number };
  };
  readonly deduplication?: {
    /** Identical requests under way become one, if they only read. Defaults to true. */
    readonly enabled?: boolean;
    /** Tools whose calls may share an answer. Defaults to those that are cached. */
    readonly tools?: readonly string[];
  };
  readonly compression?: {
    /** Compress bodies for servers that take it. Defaults to true. */
    readonly enabled?: boolean;
    /** From so many bytes on. Defaults to 1024. */
    readonly threshold?: number;
  };
}

/** Which answers are kept. Times are in milliseconds. */
export interface BatchCacheConfig {
  /** Defaults to true: what servers declare cacheable (`ttlMs`) is kept. */
  readonly enabled?: boolean;
  /** Tool to the time for which its answers are kept. Defaults to none. */
  readonly tools?: Readonly<Record<string, number>>;
  /** Who shares answers of tools. Defaults to `caller`. */
  readonly toolSharing?: Sharing;
  /** For resources whose server does not say. Defaults to 0: they are not kept. */
  readonly resourcesMs?: number;
  /** A kept answer serves so much longer while a fresh one is fetched. Defaults to 0. */
  readonly staleMs?: number;
  /** For each server. Defaults to 16777216. */
  readonly maxBytes?: number;
}

export interface ResolvedBatchConfig {
  readonly maxBatchSize: number;
  readonly batchTimeout: number;
  readonly maxConcurrentBatches: number;
  readonly maxQueueSize: number;
  readonly ageMs: number;
  readonly minimumPercent: { readonly high: number; readonly normal: number; readonly low: number };
  readonly deduplication: { readonly enabled: boolean; readonly tools: readonly string[] };
  readonly compressFrom: number | undefined;
}

const fields: Fields<BatchConfig> = {
  maxBatchSize: "any",
  batchTimeout: "any",
  maxConcurrentBatches: "any",
  maxQueueSize: "any",
  priorities: { ageMs: "any", minimumPercent: { high: "any", normal: "any", low: "any" } },
  deduplication: { enabled: "any", tools: "any" },
  compression: { enabled: "any", threshold: "any" },
};

const cacheFields: Fields<BatchCacheConfig> = {
  enabled: "any",
  tools: "any",
  toolSharing: "any",
  resourcesMs: "any",
  staleMs: "any",
  maxBytes: "any",
};

/** Refuses a setting of the cache that nobody reads. Throws CONFIG_INVALID. */
export const checkBatchCache = (config: BatchCacheConfig): void =>
  refuseUnknown("batching: cache", config, cacheFields);

/** Applies the defaults. Throws CONFIG_INVALID with the field, the value and what is right. */
export function resolveBatching(config: BatchConfig): ResolvedBatchConfig {
  refuseUnknown("batching", config, fields);
  const { priorities, deduplication, compression } = config;
  const { maxBatchSize = 50, batchTimeout = 100, maxConcurrentBatches = 4, maxQueueSize = 10_000 } = config;
  const ageMs = priorities?.ageMs ?? 5000;
  const threshold = compression?.threshold ?? 1024;
  const minimumPercent = { high: 20, normal: 10, low: 5, ...priorities?.minimumPercent };
  const check = (field: string, value: number, least: number, most = Number.MAX_SAFE_INTEGER) => {
    if (Number.isInteger(value) && value >= least && value <= most) return;
    const right = most === Number.MAX_SAFE_INTEGER ? `from ${least}` : `from ${least} to ${most}`;
    throw new FleetError("CONFIG_INVALID", `batching: ${field} is ${value}; it must be a whole number ${right}`);
  };
  check("maxBatchSize", maxBatchSize, 1);
  check("batchTimeout", batchTimeout, 0);
  check("maxConcurrentBatches", maxConcurrentBatches, 1);
  check("maxQueueSize", maxQueueSize, 1);
  check("priorities.ageMs", ageMs, 1);
  check("compression.threshold", threshold, 0);
  for (const [level, percent] of Object.entries(minimumPercent))
    check(`priorities.minimumPercent.${level}`, percent, 1, 33);
  return {
    ...{ maxBatchSize, batchTimeout, maxConcurrentBatches, maxQueueSize, ageMs, minimumPercent },
    deduplication: { enabled: deduplication?.enabled ?? true, tools: deduplication?.tools ?? [] },
    compressFrom: compression?.enabled === false ? undefined : threshold,
  };
}
