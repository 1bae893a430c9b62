import type { Logger } from "pino";
import type { ResolvedConfig } from "../config/index.ts";
import type { SealingKey } from "../protocol/sealer.ts";
import { EntrySeal } from "./entry-seal.ts";
import { Redis } from "./redis.ts";

export interface SharedStoresOptions {
  /** Those that seal sessions; values of the cache are marked by keys derived from them. */
  readonly keys: readonly SealingKey[];
  readonly log: Logger;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
}

/** What gateways share: counts of limits, and kept answers over a connection of their own, so that a large one makes no count late. */
export type SharedStores = Awaited<ReturnType<typeof openSharedStores>>;

/** Begins to connect to what `gateway.shared` names; undefined where gateways share nothing. */
export async function openSharedStores(
  { shared, session }: ResolvedConfig["gateway"],
  { keys, log, now }: SharedStoresOptions,
) {
  if (shared === undefined) return undefined;
  const { redis: url, cacheRedis = url, password, prefix, maxAnswerBytes } = shared;
  if (session.keys === undefined) {
    log.warn("gateway.shared: without gateway.session.keys, the same for all, other gateways do not take kept answers");
  }
  const counts = await Redis.open({ role: "counts", url, password, log, now });
  const answers = await Redis.open({ role: "answers", url: cacheRedis, password, log, now });
  return {
    counts: { redis: counts, prefix },
    answers: { redis: answers, prefix, maxAnswerBytes, clock: Date.now, seal: new EntrySeal(keys) },
    close: async () => {
      await counts.close();
      await answers.close();
    },
  };
}
