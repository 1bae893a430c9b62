import { expect } from "@jest/globals";
import { pino } from "pino";
import { Redis } from "../../runtime/performance/redis.ts";
import { type Bucket, bucketOf } from "../../runtime/security/limits/bucket.ts";
import { LocalBuckets } from "../../runtime/security/limits/local-buckets.ts";
import { SharedBuckets } from "../../runtime/security/limits/shared-buckets.ts";
import { testWith } from "../support/needs.ts";
import { RedisServer } from "../support/redis-server.ts";

// Windows of ten minutes: nothing is refilled during the test.
const window = bucketOf("caller", "w", { windowMs: 600_000, maxRequests: 5 }) as Bucket;
const burst = bucketOf("caller", "b", { windowMs: 6_000_000, maxRequests: 10, burst: 5 }) as Bucket;

testWith("redis-server")("a call of several costs counts over gateways as it does in one", async () => {
  const server = await RedisServer.start();
  const log = pino({ level: "silent" });
  const redis = await Redis.open({ role: "counts", url: server.url, log, now: () => performance.now() });
  try {
    while (!redis.ready) await new Promise((resolve) => setTimeout(resolve, 10));
    const local = new LocalBuckets(() => 1000);
    const away: string[] = [];
    const options = {
      redis,
      prefix: "test",
      local,
      processes: 1,
      onAway: () => void away.push("away"),
      now: () => 1000,
    };
    const store = new SharedBuckets(options);
    const alone = new LocalBuckets(() => 1000);
    for (const bucket of [window, burst]) {
      const seen: unknown[] = [];
      for (const cost of [3, 3, 6, 2, 1]) {
        const { allowed, remaining } = await store.take([bucket], cost);
        const here = alone.take([bucket], cost);
        expect([allowed, remaining]).toEqual([here.allowed, here.remaining]);
        seen.push([allowed, remaining]);
      }
      expect(seen).toEqual([
        [true, 2],
        [false, 2],
        [false, 2],
        [true, 0],
        [false, 0],
      ]);
    }
    expect(away).toEqual([]);
  } finally {
    await redis.close();
    await server.stop();
  }
});
