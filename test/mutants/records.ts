import type { Mutant } from "./mutant.ts";

/** Of what is noted and counted. */
export const records: readonly Mutant[] = [
  {
    name: "redis-fallback",
    file: "runtime/security/limits/shared-buckets.ts",
    from: "    onAway();\n    return local.take(",
    to: '    onAway();\n    throw new Error("Redis is away");\n    return local.take(',
    path: "test/integration/shared-limits.test.ts",
    tests: "Redis dies and comes back under load",
    needs: "redis-server",
  },
  {
    name: "logged-metadata",
    file: "runtime/routing/executor.ts",
    from: "metadata: loggedMetadata(metadata)",
    to: "metadata",
    path: "test/runtime/routing/executor.test.ts",
    tests: "a request with megabytes of metadata writes a short line",
  },
  {
    name: "audit-retry",
    file: "runtime/security/audit-file.ts",
    from: "this.#fail(messageOf(error), batch);\n        this.#retryLater();",
    to: "this.#fail(messageOf(error), batch);",
    path: "test/runtime/security/audit-file.test.ts",
    tests: "a full disk ends nothing",
  },
  {
    name: "audit-rotated",
    file: "runtime/security/audit-file.ts",
    from: "(found === undefined || found.ino !== own.ino || found.dev !== own.dev)",
    to: "found === undefined",
    path: "test/runtime/security/audit-file.test.ts",
    tests: "a file that is removed, replaced, or whose folder is gone",
  },
  {
    name: "audit-names",
    file: "runtime/security/bounded-text.ts",
    from: "if (text.length <= max) return text;",
    to: "if (text.length >= 0) return text;",
    path: "test/runtime/security/bounded-text.test.ts",
    tests: "a long name is cut",
  },
  {
    name: "answer-seal",
    file: "runtime/performance/entry-seal.ts",
    from: "return mac.length === macBytes && timingSafeEqual(mac, this.#mac(key, name, value)) ? value : undefined;",
    to: "return mac.length === 0 ? undefined : value;",
    path: "test/runtime/performance/shared-cache.test.ts",
    tests: "an answer is good under its own key only",
  },
  {
    name: "answer-store",
    file: "runtime/performance/shared-stores.ts",
    from: "url: cacheRedis,",
    to: "url: cacheRedis && url,",
    path: "test/runtime/performance/shared-stores.test.ts",
    tests: "kept answers have a Redis of their own",
  },
];
