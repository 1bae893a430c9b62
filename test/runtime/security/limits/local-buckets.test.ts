import { expect, test } from "@jest/globals";
import { type Bucket, bucketOf, standingHeaders } from "../../../../runtime/security/limits/bucket.ts";
import { LocalBuckets } from "../../../../runtime/security/limits/local-buckets.ts";

let now = 0;
const fresh = () => {
  now = 1000;
  return new LocalBuckets(() => now);
};
const window = bucketOf("caller", "w", { windowMs: 1000, maxRequests: 3, burst: 0 }) as Bucket;
const bucket = bucketOf("server", "b", { windowMs: 1000, maxRequests: 10, burst: 3 }) as Bucket;

test("a fixed window begins with its first call and lets so many through", () => {
  const store = fresh();
  const seen = [0, 200, 200, 200, 399, 1].map((pass) => {
    now += pass;
    return store.take([window]);
  });
  expect(seen).toEqual([
    { allowed: true, index: 0, remaining: 2, resetMs: 1000 },
    { allowed: true, index: 0, remaining: 1, resetMs: 800 },
    { allowed: true, index: 0, remaining: 0, resetMs: 600 },
    { allowed: false, index: 0, remaining: 0, resetMs: 400 },
    { allowed: false, index: 0, remaining: 0, resetMs: 1 },
    { allowed: true, index: 0, remaining: 2, resetMs: 1000 },
  ]);
});

test("a token bucket lets a burst through and then one call per interval", () => {
  const store = fresh();
  const seen = [0, 0, 0, 0, 99, 1, 0, 300].map((pass) => {
    now += pass;
    const { allowed, remaining, resetMs } = store.take([bucket]);
    return [allowed, remaining, Math.round(resetMs)];
  });
  expect(seen).toEqual([
    ...[
      [true, 2, 100],
      [true, 1, 200],
      [true, 0, 300],
    ],
    ...[
      [false, 0, 100],
      [false, 0, 1],
    ],
    ...[
      [true, 0, 300],
      [false, 0, 100],
    ],
    [true, 2, 100],
  ]);
});

test("a call counts as many as it costs, or not at all", () => {
  const store = fresh();
  expect([2, 2, 1, 1].map((cost) => store.take([window], cost))).toEqual([
    { allowed: true, index: 0, remaining: 1, resetMs: 1000 },
    { allowed: false, index: 0, remaining: 1, resetMs: 1000 },
    { allowed: true, index: 0, remaining: 0, resetMs: 1000 },
    { allowed: false, index: 0, remaining: 0, resetMs: 1000 },
  ]);
  expect(
    [2, 2, 1, 1].map((cost) => store.take([bucket], cost)).map(({ resetMs, ...rest }) => [rest, Math.round(resetMs)]),
  ).toEqual([
    [{ allowed: true, index: 0, remaining: 1 }, 200],
    [{ allowed: false, index: 0, remaining: 1 }, 100],
    [{ allowed: true, index: 0, remaining: 0 }, 300],
    [{ allowed: false, index: 0, remaining: 0 }, 100],
  ]);
  // More than there ever is.
  expect([store.take([window], 4).allowed, fresh().take([bucket], 4).allowed]).toEqual([false, false]);
});

test("over ten windows exactly the rate comes through, however hard one pushes", () => {
  const store = fresh();
  let through = 0;
  for (let step = 0; step < 10_000; step += 1, now += 1) if (store.take([bucket]).allowed) through += 1;
  // The burst, and what was refilled in 9.999 s.
  expect(through).toBe(3 + 99);
});

test("a call that one bucket refuses is not counted in the others", () => {
  const store = fresh();
  const both = [bucket, { ...window, max: 1 }];
  expect(store.take(both)).toMatchObject({ allowed: true, index: 1, remaining: 0 });
  for (let attempt = 0; attempt < 5; attempt += 1) expect(store.take(both)).toMatchObject({ allowed: false, index: 1 });
  expect(store.take([bucket])).toMatchObject({ allowed: true, remaining: 1 });
});

test("keys that callers invent do not fill the memory", () => {
  const store = fresh();
  for (let index = 0; index < 150_000; index += 1) store.take([{ ...window, key: `k${index}` }]);
  expect(store.size).toBe(100_000);
});

test("headers", () => {
  expect(standingHeaders(window, { allowed: true, index: 0, remaining: 2, resetMs: 801 })).toEqual({
    "ratelimit-limit": "3",
    "ratelimit-remaining": "2",
    "ratelimit-reset": "1",
    "ratelimit-policy": "3;w=1",
  });
  expect(standingHeaders(bucket, { allowed: true, index: 0, remaining: 0, resetMs: 0 })).toEqual({
    "ratelimit-limit": "3",
    "ratelimit-remaining": "0",
    "ratelimit-reset": "0",
    "ratelimit-policy": "10;w=1;burst=3",
  });
});
