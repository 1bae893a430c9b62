import { LRUCache } from "lru-cache";
import type { Bucket, BucketStore, Standing } from "./bucket.ts";

/** Callers, servers and tools that are counted; who has not called for longest is forgotten first. */
const maxBuckets = 100_000;

interface Level {
  /** Fixed window: when it ends. Token bucket: when it would be full (its theoretical arrival time). */
  at: number;
  /** Calls in the window. */
  count: number;
}

/**
 * Counts in this process. A token bucket is kept as one number, the time at which it is full again (GCRA, the generic
 * cell rate algorithm of ITU-T I.371).
 */
export class LocalBuckets implements BucketStore {
  readonly #levels = new LRUCache<string, Level>({ max: maxBuckets });
  readonly #now: () => number;
  /** Those of the buckets of the call that is being counted: looked up once, in an array that is used again. */
  readonly #counted: Level[] = [];

  /** `now`: milliseconds of a clock that only goes forward. */
  constructor(now: () => number) {
    this.#now = now;
  }

  get size(): number {
    return this.#levels.size;
  }

  take(buckets: readonly Bucket[], cost = 1): Standing {
    const now = this.#now();
    let nearest = 0;
    let remaining = Number.POSITIVE_INFINITY;
    let resetMs = 0;
    for (let index = 0; index < buckets.length; index += 1) {
      const bucket = buckets[index] as Bucket;
      const level = this.#level(bucket);
      this.#counted[index] = level;
      const left = leftOf(bucket, level, now);
      if (left < cost) {
        const resetMs = waitOf(bucket, level, now, cost);
        return { allowed: false, index, remaining: Math.floor(left), resetMs };
      }
      if (left - cost >= remaining) continue;
      nearest = index;
      remaining = left - cost;
      resetMs = resetOf(bucket, level, now, cost);
    }
    for (let index = 0; index < buckets.length; index += 1) {
      count(buckets[index] as Bucket, this.#counted[index] as Level, now, cost);
    }
    return { allowed: true, index: nearest, remaining: Math.floor(remaining), resetMs };
  }

  /** Takes over what another store has counted: so many calls are left, until `resetMs` from now. */
  note(bucket: Bucket, remaining: number, resetMs: number): void {
    const now = this.#now();
    const level = this.#level(bucket);
    level.at = bucket.burst > 0 ? now + (bucket.burst - remaining) * (bucket.windowMs / bucket.max) : now + resetMs;
    level.count = Math.max(bucket.max - remaining, 0);
  }

  #level({ key }: Bucket): Level {
    let level = this.#levels.get(key);
    if (level === undefined) {
      level = { at: 0, count: 0 };
      this.#levels.set(key, level);
    }
    return level;
  }
}

function count({ windowMs, max, burst }: Bucket, level: Level, now: number, cost: number): void {
  if (burst > 0) level.at = Math.max(level.at, now) + (cost * windowMs) / max;
  else if (now >= level.at) {
    level.at = now + windowMs;
    level.count = cost;
  } else level.count += cost;
}

/** Calls that may still come, this one included. */
function leftOf({ windowMs, max, burst }: Bucket, { at, count }: Level, now: number): number {
  if (burst === 0) return now >= at ? max : max - count;
  const everyMs = windowMs / max;
  // A hair of rounding must not cost a call.
  return burst - Math.max(at - now, 0) / everyMs + 1e-9;
}

/** Until a call of this cost may come. One that costs more than there ever is has to wait until all of it is there, for nothing. */
function waitOf({ windowMs, max, burst }: Bucket, { at }: Level, now: number, cost: number): number {
  if (burst === 0) return now >= at ? windowMs : at - now;
  return Math.max(at - now, 0) - (burst - Math.min(cost, burst)) * (windowMs / max);
}

/** Until all calls may come again, this one counted. */
function resetOf({ windowMs, max, burst }: Bucket, { at }: Level, now: number, cost: number): number {
  if (burst > 0) return Math.max(at - now, 0) + (cost * windowMs) / max;
  return now >= at ? windowMs : at - now;
}
