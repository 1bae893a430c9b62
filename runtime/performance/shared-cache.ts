import { createHash } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { CacheTag } from "./cache-policy.ts";
import type { EntrySeal } from "./entry-seal.ts";

/** The one thing that is asked of a Redis client: a command, its words, and the answer. */
export interface RedisCommands {
  readonly ready: boolean;
  /** Rejects when Redis is away, refuses, or takes too long. */
  send(words: readonly string[]): Promise<unknown>;
}

/** An answer as it is kept beyond this process. */
export interface SharedEntry {
  readonly text: string;
  readonly declared: boolean;
  /** How long it is still fresh, … */
  readonly freshMs: number;
  /** … and how long it may still be served after that. */
  readonly staleMs: number;
  /** For everyone? */
  readonly open: boolean;
}

export interface SharedLookup {
  /** Of the tag when it was asked: an answer is only kept under the generation that it was asked in. */
  readonly generation: string;
  readonly entry: SharedEntry | undefined;
}

export interface SharedSpaceOptions {
  readonly redis: RedisCommands;
  /** Begins every key. */
  readonly prefix: string;
  /** Milliseconds since 1970, the same on all machines. */
  readonly clock: () => number;
  /** Marks what gateways write, so that nothing else is taken for an answer. */
  readonly seal: EntrySeal;
  /** Larger answers are not shared. */
  readonly maxAnswerBytes: number;
  /** What this process has in Redis for the fleet, in bytes; past it the entry that was written first goes. */
  readonly maxBytes: number;
  /** Redis was away or failed, and the process went on without it. */
  readonly onFailure: () => void;
  /** What Redis had was written by nobody who holds our keys, or is no answer. */
  readonly onForged: () => void;
}

/** Bytes that Redis takes for an entry besides its texts. */
const overheadBytes = 200;
/** Generations outlive every entry that names them. */
const generationSeconds = 7 * 24 * 60 * 60;

/**
 * The part of one fleet in a cache that gateways share in Redis. It only ever helps: when Redis is away everything is a
 * miss, at once, and nothing waits; and so is a value that no gateway with our keys has written. An invalidation raises the generation of a tag, and entries of earlier ones no longer
 * count, whoever keeps them.
 */
export class SharedSpace {
  readonly #options: SharedSpaceOptions;
  /** Keys that this process wrote, with their bytes. */
  readonly #written: LRUCache<string, number>;

  constructor(options: SharedSpaceOptions) {
    this.#options = options;
    this.#written = new LRUCache({
      maxSize: options.maxBytes,
      sizeCalculation: (bytes) => bytes,
      dispose: (_bytes, key, reason) => {
        if (reason === "evict") void this.#send(["UNLINK", key]);
      },
    });
  }

  /** Looks under the key of everyone and that of the audience. Undefined when Redis is away. */
  async find(tag: CacheTag, open: string, own: string | undefined): Promise<SharedLookup | undefined> {
    const keys = [this.#generationKey(tag), this.#entryKey(open), ...(own === undefined ? [] : [this.#entryKey(own)])];
    const values = await this.#send(["MGET", ...keys]);
    if (values === undefined) return undefined;
    if (!areValues(values, keys.length)) {
      this.#options.onForged();
      return undefined;
    }
    const [generation = "0", ...texts] = values.map((value) => value ?? undefined);
    const entry = texts
      .map((text, index) => this.#read(keys[index + 1] as string, text, generation, index === 0))
      .find((one) => one !== undefined);
    return { generation, entry };
  }

  /** Keeps an entry, without waiting for it. */
  keep(key: string, { text, declared, freshMs, staleMs }: SharedEntry, generation: string): void {
    const freshUntil = Math.floor(this.#options.clock() + freshMs);
    const { seal, maxAnswerBytes } = this.#options;
    if (text.length > maxAnswerBytes || Buffer.byteLength(text) > maxAnswerBytes) return;
    const name = this.#entryKey(key);
    const value = seal.seal(name, `${generation}\n${freshUntil}\n${staleMs}\n${Number(declared)}\n${text}`);
    const lastsMs = Math.ceil(freshMs + staleMs);
    this.#written.set(name, value.length + overheadBytes, { ttl: lastsMs });
    void this.#send(["SET", name, value, "PX", String(lastsMs)]);
  }

  /** Drops everything that has the tag, for all gateways. */
  invalidate(tag: CacheTag): void {
    const key = this.#generationKey(tag);
    void this.#send(["INCR", key]).then(() => this.#send(["EXPIRE", key, String(generationSeconds)]));
  }

  #read(key: string, sealed: string | undefined, generation: string, open: boolean): SharedEntry | undefined {
    if (sealed === undefined) return undefined;
    const { seal, onForged } = this.#options;
    const value = seal.open(key, sealed);
    if (value === undefined) {
      onForged();
      return undefined;
    }
    const [of, freshUntil, staleMs, declared] = value.split("\n", 4) as [string, string, string, string];
    if (of !== generation) return undefined;
    const head = of.length + freshUntil.length + staleMs.length + declared.length + 4;
    const freshMs = Number(freshUntil) - this.#options.clock();
    if (freshMs + Number(staleMs) <= 0) return undefined;
    const text = value.slice(head);
    if (!isResult(declared === "1" ? `{${text}` : text)) {
      onForged();
      return undefined;
    }
    return { text, declared: declared === "1", freshMs, staleMs: Number(staleMs), open };
  }

  async #send(words: readonly string[]): Promise<unknown> {
    const { redis, onFailure } = this.#options;
    try {
      if (redis.ready) return await redis.send(words);
    } catch {
      // Counted like an absence.
    }
    onFailure();
    return undefined;
  }

  #generationKey(tag: CacheTag): string {
    return `${this.#options.prefix}:generation:${tag}`;
  }

  /** Requests are long, and what they ask for is nobody's business in a list of keys. */
  #entryKey(key: string): string {
    return `${this.#options.prefix}:${createHash("sha256").update(key).digest("base64url")}`;
  }
}

/** Is it what Redis answers to MGET for so many keys? */
function areValues(answer: unknown, keys: number): answer is (string | null)[] {
  return (
    Array.isArray(answer) && answer.length === keys && answer.every((one) => one === null || typeof one === "string")
  );
}

/** Is it the JSON of an object, as every result is? */
function isResult(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
