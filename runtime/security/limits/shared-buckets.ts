import { createHash } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { Bucket, BucketStore, Standing } from "./bucket.ts";
import type { LocalBuckets } from "./local-buckets.ts";

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
  /** Counts while Redis is away, on from what Redis last said. */
  readonly local: LocalBuckets;
  /** Processes that then count a share of each limit. */
  readonly processes: number;
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
  local value = tonumber(redis.call('GET', key) or '0') or 0
  local remaining, full
  if burst == 0 then
    local lasts = redis.call('PTTL', key)
    if lasts <= 0 then lasts = window; value = 0 end
    lasts = math.min(lasts, window)
    if value + cost > max then return {0, i - 1, math.max(max - value, 0), lasts} end
    next[i], ttl[i], remaining, full = value + cost, lasts, max - value - cost, lasts
  else
    local every = window / max
    local before = math.min(math.max(value, now), now + burst * every)
    local at = before + cost * every
    if at - now > burst * every + 0.001 then
      local free = math.floor((burst * every - (before - now)) / every + 0.001)
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
  /** What one process may take of a bucket while Redis is away. */
  readonly #shares = new WeakMap<Bucket, Bucket>();

  constructor(options: SharedBucketsOptions) {
    this.#options = options;
  }

  take(buckets: readonly Bucket[], cost = 1): Standing | Promise<Standing> {
    const { redis, now } = this.#options;
    if (this.#empty.size > 0) {
      for (let index = 0; index < buckets.length; index += 1) {
        const until = this.#empty.get((buckets[index] as Bucket).key);
        const resetMs = until === undefined ? 0 : until - now();
        if (resetMs > 0) return { allowed: false, index, remaining: 0, resetMs };
      }
    }
    return redis.ready ? this.#ask(buckets, cost) : this.#takeAlone(buckets, cost);
  }

  #takeAlone(buckets: readonly Bucket[], cost: number): Standing {
    const { local, onAway } = this.#options;
    onAway();
    return local.take(
      buckets.map((bucket) => this.#shareOf(bucket)),
      cost,
    );
  }

  #shareOf(bucket: Bucket): Bucket {
    const { processes } = this.#options;
    if (processes === 1) return bucket;
    let share = this.#shares.get(bucket);
    if (share === undefined) {
      const [max, burst] = [bucket.max, bucket.burst].map((whole) => Math.ceil(whole / processes)) as [number, number];
      share = { ...bucket, max, burst };
      this.#shares.set(bucket, share);
    }
    return share;
  }

  async #ask(buckets: readonly Bucket[], cost: number): Promise<Standing> {
    const { local, now, processes } = this.#options;
    let answer: unknown;
    try {
      answer = await this.#run(buckets, cost);
    } catch {
      return this.#takeAlone(buckets, cost);
    }
    const standing = standingOf(answer, buckets.length);
    if (standing === undefined) return this.#takeAlone(buckets, cost);
    const { allowed, index, remaining, resetMs } = standing;
    const bucket = buckets[index] as Bucket;
    if (!allowed && remaining === 0) this.#empty.set(bucket.key, now() + resetMs);
    local.note(this.#shareOf(bucket), Math.floor(remaining / processes), resetMs);
    return standing;
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

/** What Redis has answered; undefined for anything that the script does not answer. */
function standingOf(answer: unknown, buckets: number): Standing | undefined {
  if (!Array.isArray(answer) || answer.length !== 4 || !answer.every((one) => Number.isSafeInteger(one)))
    return undefined;
  const [allowed, index, remaining, resetMs] = answer as [number, number, number, number];
  const sound = (allowed === 0 || allowed === 1) && index >= 0 && index < buckets && remaining >= 0 && resetMs >= 0;
  return sound ? { allowed: allowed === 1, index, remaining, resetMs } : undefined;
}
