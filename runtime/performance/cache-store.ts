import { LRUCache } from "lru-cache";
import type { CacheTag } from "./cache-policy.ts";

/** An answer that is kept. Its text never changes. */
export interface CacheEntry {
  readonly tag: CacheTag;
  /** URI of a resource's contents. */
  readonly uri: string | undefined;
  /** The result; of one whose server said `ttlMs` without that member and the opening brace. */
  readonly text: string;
  readonly declared: boolean;
  /** By the cache's clock: fresh before this, … */
  readonly freshUntil: number;
  /** … and of use before this, while a fresh one is fetched. */
  readonly staleUntil: number;
  /** A fresh one is being fetched. */
  refreshing: boolean;
}

/** Bytes that an entry takes besides its texts: objects and the table's row. */
const overheadBytes = 300;

/** Kept answers, bounded by bytes; the least recently used go first. */
export class CacheStore {
  readonly #entries: LRUCache<string, CacheEntry>;
  #epoch = 0;

  constructor(maxBytes: number) {
    this.#entries = new LRUCache({
      maxSize: maxBytes,
      sizeCalculation: ({ text }, key) => Buffer.byteLength(text) + 2 * key.length + overheadBytes,
    });
  }

  /** Grows with each invalidation: an answer that was asked for before one may be out of date. */
  get epoch(): number {
    return this.#epoch;
  }

  get size(): number {
    return this.#entries.size;
  }

  get bytes(): number {
    return this.#entries.calculatedSize;
  }

  get(key: string): CacheEntry | undefined {
    return this.#entries.get(key);
  }

  set(key: string, entry: CacheEntry): void {
    this.#entries.set(key, entry);
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }

  /** Drops what has the tag; with a URI only the contents of that resource. */
  invalidate(tag: CacheTag, uri?: string): void {
    this.#epoch += 1;
    for (const [key, entry] of this.#entries.entries()) {
      if (entry.tag === tag && (uri === undefined || entry.uri === uri)) this.#entries.delete(key);
    }
  }

  clear(): void {
    this.#epoch += 1;
    this.#entries.clear();
  }
}
