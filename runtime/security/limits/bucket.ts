import type { Limit } from "../../config/schema/index.ts";

/** Whose calls a limit counts. */
export type LimitScope = "caller" | "server" | "tool";

/** One limit with the key of what it counts. */
export interface Bucket {
  readonly scope: LimitScope;
  readonly key: string;
  readonly windowMs: number;
  /** Calls in a window. */
  readonly max: number;
  /** Capacity of a token bucket, refilled at `max` per `windowMs`; 0 for a fixed window, which begins with its first call. */
  readonly burst: number;
  /** `RateLimit-Limit` and `RateLimit-Policy` of it, which do not change. */
  readonly limitText: string;
  readonly policyText: string;
}

/** How a caller stands after a call was counted, by the limit that is nearest. */
export interface Standing {
  readonly allowed: boolean;
  /** Index of that limit. */
  readonly index: number;
  /** Calls that are left. */
  readonly remaining: number;
  /** Until it is full again; for a refused call, until it may come again. */
  readonly resetMs: number;
}

/** Where calls are counted: all of a call's buckets together, or none of them when one holds less than its cost. */
export interface BucketStore {
  /** `cost`: the number of calls that it counts as. */
  take(buckets: readonly Bucket[], cost: number): Standing | Promise<Standing>;
}

const defaultWindowMs = 60_000;

/** The bucket of a limit; undefined for one that bounds only what is in flight. */
export function bucketOf(scope: LimitScope, key: string, limit: Limit | undefined): Bucket | undefined {
  if (limit?.maxRequests === undefined) return undefined;
  const { windowMs = defaultWindowMs, maxRequests: max, burst = 0 } = limit;
  const limitText = String(burst === 0 ? max : burst);
  const policyText = `${max};w=${Math.ceil(windowMs / 1000)}${burst === 0 ? "" : `;burst=${burst}`}`;
  return { scope, key, windowMs, max, burst, limitText, policyText };
}

/** What is left of the nearest limit, as HTTP says it (draft-ietf-httpapi-ratelimit-headers-07). */
export function standingHeaders({ limitText, policyText }: Bucket, { remaining, resetMs }: Standing) {
  return {
    "ratelimit-limit": limitText,
    "ratelimit-remaining": String(remaining),
    "ratelimit-reset": String(Math.ceil(resetMs / 1000)),
    "ratelimit-policy": policyText,
  };
}
