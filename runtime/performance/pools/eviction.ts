import type { EvictionPolicy } from "./pool-config.ts";

/** What an eviction looks at. Times are by the pool's clock. */
export interface Evictable {
  readonly openedAt: number;
  readonly lastUsedAt: number;
  /** How often it was taken. */
  readonly uses: number;
  /** Bytes of the answers that it has carried. */
  readonly bytes: number;
}

const orders: Readonly<Record<Exclude<EvictionPolicy, "random">, (one: Evictable) => number>> = {
  lru: ({ lastUsedAt }) => lastUsedAt,
  lfu: ({ uses }) => uses,
  fifo: ({ openedAt }) => openedAt,
  size: ({ bytes }) => -bytes,
};

/** Chooses `count` of the candidates, those first that the policy likes least. `random` is 0 to 1, exclusive. */
export function victims<One extends Evictable>(
  candidates: readonly One[],
  count: number,
  policy: EvictionPolicy,
  random: () => number,
): One[] {
  const rest = [...candidates];
  if (policy !== "random") {
    const rank = orders[policy];
    return rest.sort((a, b) => rank(a) - rank(b)).slice(0, Math.max(0, count));
  }
  const chosen: One[] = [];
  while (chosen.length < count && rest.length > 0) chosen.push(...rest.splice(Math.floor(random() * rest.length), 1));
  return chosen;
}
