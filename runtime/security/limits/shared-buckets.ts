import { createHash } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { Bucket, BucketStore, Standing } from "./bucket.ts";

/** A connection to Redis that is never waited for. */
export interface RedisCommands {
  /** It can be asked now. */
  readonly ready: boolean;
  /** Rejects when Redis is away, refuses, or takes too long. */
  send(words: readonly string[]): Promise<unknown>;
}

export interface SharedBucketsOptions {
  readonly redis: RedisCommands;
  /** Begins every key. */
  readonly prefix: string;
  /** Counts while Redis is away. */
  readonly local: BucketStore;
  /** A call was counted in this process alone. */
  readonly onAway: () => void;
  /** Milliseconds of a clock that only goes forward. */
  readonly now: () => number;
}

/**
 * The algorithms of `LocalBuckets`, by the clock of Redis, as one atomic step over all keys of a call. ARGV holds
 * windowMs, max and burst of each key, then what the call counts as. Answers allowed, index, remaining, reset in milliseconds.
 */
const script = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local next, ttl = {}, {}
local nearest, left, reset = 1, nil, 0
local cost = tonumber(ARGV[#ARGV])
for i, key in ipairs(KEYS) do
  local window, max, burst = tonumber(ARGV[i * 3 - 2]), tonumber(ARGV[i * 3 - 1]), tonumber(ARGV[i * 3])
  local value = tonumber(redis.call('GET', key) or '0')
  local remaining, full
  if burst == 0 then
    local lasts = redis.call('PTTL', key)
    if lasts <= 0 then lasts = window; value = 0 end
    if value + cost > max then return {0, i - 1, max - value, lasts} end
    next[i], ttl[i], remaining, full = value + cost, lasts, max - value - cost, lasts
  else
    local every = window / max
    local at = math.max(value, now) + cost * every
    if at - now > burst * every + 0.001 then
      local free = math.floor((burst * every - math.max(value - now, 0)) / every + 0.001)
      return {0, i - 1, free, math.ceil(at - now - math.max(burst, cost) * every)}
    end
    next[i], ttl[i], full = string.format('%.3f', at), math.ceil(at - now), math.ceil(at - now)
    remaining = math.floor((burst * every - (at - now)) / every + 0.001)
  end
  if left == nil or remaining < left then nearest, left, reset = i, remaining, full end
end
for i, key in ipairs(KEYS) do redis.call('SET', key, next[i], 'PX', math.max(ttl[i], 1)) end
return {1, nearest - 1, left, reset}
`;
const digest = createHash("sha1").update(script).digest("hex");

/** Empty buckets that are remembered, so that a caller over its limit costs Redis nothing. */
const maxEmpty = 10_000;

/** Counts in Redis, exactly over all workers and replicas; while Redis is away each process counts for itself. */
export class SharedBuckets implements BucketStore {
  readonly #options: SharedBucketsOptions;
  readonly #empty = new LRUCache<string, number>({ max: maxEmpty });

  constructor(options: SharedBucketsOptions) {
    this.#options = options;
  }

  take(buckets: readonly Bucket[], cost = 1): Standing | Promise<Standing> {
    const { redis, local, onAway, now } = this.#options;
    if (this.#empty.size > 0) {
      for (let index = 0; index < buckets.length; index += 1) {
        const until = this.#empty.get((buckets[index] as Bucket).key);
        const resetMs = until === undefined ? 0 : until - now();
        if (resetMs > 0) return { allowed: false, index, remaining: 0, resetMs };
      }
    }
    if (redis.ready) return this.#ask(buckets, cost);
    onAway();
    return local.take(buckets, cost);
  }

  async #ask(buckets: readonly Bucket[], cost: number): Promise<Standing> {
    const { local, onAway, now } = this.#options;
    try {
      const [allowed, index, remaining, resetMs] = (await this.#run(buckets, cost)) as [number, number, number, number];
      if (allowed === 0 && remaining === 0) this.#empty.set((buckets[index] as Bucket).key, now() + resetMs);
      return { allowed: allowed === 1, index, remaining, resetMs };
    } catch {
      onAway();
      return local.take(buckets, cost);
    }
  }

  async #run(buckets: readonly Bucket[], cost: number): Promise<unknown> {
    const { redis, prefix } = this.#options;
    const words: string[] = [String(buckets.length)];
    // One hash tag, so that the keys of a call are on one node of a cluster.
    for (const { key } of buckets) words.push(`${prefix}:{limits}:${key}`);
    for (const { windowMs, max, burst } of buckets) words.push(String(windowMs), String(max), String(burst));
    words.push(String(cost));
    try {
      return await redis.send(["EVALSHA", digest, ...words]);
    } catch (error) {
      if (!String(error).includes("NOSCRIPT")) throw error;
      return redis.send(["EVAL", script, ...words]);
    }
  }
}
