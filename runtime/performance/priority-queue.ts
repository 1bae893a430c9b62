import { type Priority, priorities } from "../protocol/priority.ts";

/** Percent of the departures that a level gets at least while something waits there. */
export type MinimumShares = Readonly<Record<Exclude<Priority, "critical">, number>>;

export interface PriorityQueueOptions {
  /** Bound of all levels together. */
  readonly maxWaiting: number;
  /** After so many milliseconds of waiting something counts as one level more urgent, up to `high`. */
  readonly ageMs: number;
  readonly minimumPercent: MinimumShares;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
}

/** Something that waits. */
export interface Waiting<Item> {
  readonly item: Item;
  readonly priority: Priority;
  /** By the queue's clock. */
  readonly since: number;
}

const lastLevel = priorities.length - 1;

/**
 * What waits, the most urgent first, and of equals the oldest. Nothing starves: what waits grows more urgent with
 * age, and beside a flood of critical items every other level still gets its minimum of the departures (the deficit
 * counters of Shreedhar and Varghese, "Efficient Fair Queuing Using Deficit Round Robin", 1995).
 */
export class PriorityQueue<Item> {
  readonly #options: PriorityQueueOptions;
  /** A set keeps the order of arrival and forgets anyone in its middle at once. */
  readonly #levels = priorities.map(() => new Set<Waiting<Item>>());
  readonly #shares: readonly number[];
  /** Departures that a level is owed. */
  readonly #owed = priorities.map(() => 0);
  #size = 0;

  constructor(options: PriorityQueueOptions) {
    this.#options = options;
    this.#shares = priorities.map((level) => (level === "critical" ? 0 : options.minimumPercent[level] / 100));
  }

  get size(): number {
    return this.#size;
  }

  length(priority: Priority): number {
    return this.#level(priority).size;
  }

  /**
   * Takes an item in. When all places are taken the newest of the least urgent level makes room for a more urgent one
   * and is returned as `displaced`; without such a one `entry` is undefined.
   */
  push(item: Item, priority: Priority): { entry: Waiting<Item> | undefined; displaced: Waiting<Item> | undefined } {
    let displaced: Waiting<Item> | undefined;
    if (this.#size >= this.#options.maxWaiting) {
      displaced = this.#leastUrgentBelow(priorities.indexOf(priority));
      if (displaced === undefined) return { entry: undefined, displaced };
      this.remove(displaced);
    }
    const entry: Waiting<Item> = { item, priority, since: this.#options.now() };
    this.#level(priority).add(entry);
    this.#size += 1;
    return { entry, displaced };
  }

  /** What goes next. */
  shift(): Waiting<Item> | undefined {
    const level = this.#owedMost() ?? this.#mostUrgent();
    const entry = this.#oldest(level);
    if (entry === undefined) return undefined;
    this.#owed[level] = Math.max(0, (this.#owed[level] as number) - 1);
    this.remove(entry);
    return entry;
  }

  /** Takes back what waits; false when it no longer does. */
  remove(entry: Waiting<Item>): boolean {
    const waited = this.#level(entry.priority).delete(entry);
    if (waited) this.#size -= 1;
    return waited;
  }

  #level(priority: Priority): Set<Waiting<Item>> {
    return this.#levels[priorities.indexOf(priority)] as Set<Waiting<Item>>;
  }

  #oldest(level: number): Waiting<Item> | undefined {
    return this.#levels[level]?.values().next().value;
  }

  /** Adds the shares of one departure; the level that is owed a whole one, if any. */
  #owedMost(): number | undefined {
    let most: number | undefined;
    for (let level = 0; level <= lastLevel; level += 1) {
      if (this.#levels[level]?.size === 0) {
        this.#owed[level] = 0;
        continue;
      }
      const owed = (this.#owed[level] as number) + (this.#shares[level] as number);
      this.#owed[level] = owed;
      // A hair less than one: shares are not exact in binary.
      if (owed > 1 - 1e-9 && (most === undefined || owed > (this.#owed[most] as number))) most = level;
    }
    return most;
  }

  #mostUrgent(): number {
    const { ageMs, now } = this.#options;
    const time = now();
    let best = lastLevel;
    let bestRank = Number.POSITIVE_INFINITY;
    let bestSince = Number.POSITIVE_INFINITY;
    for (let level = 0; level <= lastLevel; level += 1) {
      const oldest = this.#oldest(level);
      if (oldest === undefined) continue;
      const rank = level === 0 ? 0 : Math.max(1, level - Math.floor((time - oldest.since) / ageMs));
      if (rank < bestRank || (rank === bestRank && oldest.since < bestSince)) {
        best = level;
        bestRank = rank;
        bestSince = oldest.since;
      }
    }
    return best;
  }

  #leastUrgentBelow(level: number): Waiting<Item> | undefined {
    for (let below = lastLevel; below > level; below -= 1) {
      const entries = this.#levels[below] as Set<Waiting<Item>>;
      if (entries.size > 0) return [...entries].at(-1);
    }
    return undefined;
  }
}
