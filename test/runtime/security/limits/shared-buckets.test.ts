import { expect, test } from "@jest/globals";
import { Registry } from "prom-client";
import { SecurityMetrics } from "../../../../runtime/observability/security-metrics.ts";
import { Exchange } from "../../../../runtime/protocol/exchange.ts";
import { type Bucket, bucketOf } from "../../../../runtime/security/limits/bucket.ts";
import { Limiter } from "../../../../runtime/security/limits/limiter.ts";
import { LocalBuckets } from "../../../../runtime/security/limits/local-buckets.ts";
import { SharedBuckets } from "../../../../runtime/security/limits/shared-buckets.ts";

const bucket = (limit: object) => bucketOf("caller", "k", limit) as Bucket;
function start(processes = 1) {
  const redis = { ready: true, answer: [1, 0, 9, 60_000] as unknown, send: async () => redis.answer };
  const state = { now: 0, alone: 0 };
  const now = () => state.now;
  const local = new LocalBuckets(now);
  const onAway = () => {
    state.alone += 1;
  };
  const it = new SharedBuckets({ redis, prefix: "p", local, processes, onAway, now });
  return { it, redis, state };
}
const take = async (it: SharedBuckets, one: Bucket, count: number) => {
  let allowed = 0;
  for (let index = 0; index < count; index += 1) if ((await it.take([one])).allowed) allowed += 1;
  return allowed;
};

test.each([
  ["fixed window", { maxRequests: 10 }],
  ["token bucket", { maxRequests: 10, burst: 10 }],
])(
  "a Redis that goes away or is late gives nobody a fresh limit: counting goes on from what it said (%s)",
  async (_kind, limit) => {
    const { it, redis, state } = start();
    redis.answer = [1, 0, 3, 30_000];
    expect(await take(it, bucket(limit), 1)).toBe(1);
    redis.ready = false;
    expect([await take(it, bucket(limit), 20), state.alone]).toEqual([3, 20]);
  },
);

test("while Redis is away each of four processes counts its share", async () => {
  const { it, redis } = start(4);
  redis.ready = false;
  const one = bucket({ maxRequests: 20 });
  expect(await take(it, one, 30)).toBe(5);
  const other = start(4);
  other.redis.answer = [1, 0, 12, 30_000];
  expect(await take(other.it, one, 1)).toBe(1);
  other.redis.ready = false;
  expect(await take(other.it, one, 30)).toBe(3);
});

const nonsense: readonly unknown[] = [
  ...[
    null,
    "OK",
    [1, 0, 9],
    [2, 0, 9, 1],
    [1, 7, 9, 1],
    [1, 0, -1, 1],
    [1, 0, Number.POSITIVE_INFINITY, 1],
    ["1", 0, 9, 1],
  ],
];
test.each(nonsense.map((answer) => ({ answer })))(
  "an answer of Redis that is none ($answer) lets nobody through uncounted",
  async ({ answer }) => {
    const { it, redis, state } = start();
    redis.answer = answer;
    expect([await take(it, bucket({ maxRequests: 2 }), 5), state.alone]).toEqual([2, 5]);
  },
);

test("no name of a caller or tool makes the key of another one", async () => {
  const limits = { caller: { maxRequests: 1 }, server: { maxRequests: 1 }, tool: { maxRequests: 1 } };
  const none = { size: 0, max: 0 };
  const security = { remembered: none, waiting: none, failing: none };
  const metrics = new SecurityMetrics(new Registry(), () => ({ security, audit: undefined }));
  const limiter = new Limiter({ limits, limitsOf: () => undefined, store: new LocalBuckets(() => 0), metrics });
  const callers = ["ann", "ann:of:bob", 'ann","bob', "t:of:ann", ""];
  const tools = ["t", "t:of:ann", "t:of:ann:of:bob", 't","ann', "constructor", "__proto__"];
  const keys = callers.flatMap((caller) =>
    tools.flatMap((tool) => limiter.boundsFor(caller, new Map(), "s", tool).buckets.map(({ key }) => key)),
  );
  // One key for the caller, one for the caller at the server, one for each tool of the caller.
  expect(new Set(keys).size).toBe(callers.length * (2 + tools.length));
  await limiter.admit(limiter.boundsFor("ann:of:bob", new Map(), "s", "t"), new Exchange(1000));
  expect(() => limiter.admit(limiter.boundsFor("bob", new Map(), "s", "t:of:ann"), new Exchange(1000))).not.toThrow();
});
