import { createHash } from "node:crypto";
import type { CacheTag } from "./cache-policy.ts";

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
  /** Redis was away or failed, and the process went on without it. */
  readonly onFailure: () => void;
}

/** Generations outlive every entry that names them. */
const generationSeconds = 7 * 24 * 60 * 60;

/**
 * The part of one fleet in a cache that gateways share in Redis. It only ever helps: when Redis is away everything is a
 * miss, at once, and nothing waits. An invalidation raises the generation of a tag, and entries of earlier ones no longer
 * count, whoever keeps them.
 */
export class SharedSpace {
  readonly #options: SharedSpaceOptions;

  constructor(options: SharedSpaceOptions) {
    this.#options = options;
  }

  /** Looks under the key of everyone and that of the audience. Undefined when Redis is away. */
  async find(tag: CacheTag, open: string, own: string | undefined): Promise<SharedLookup | undefined> {
    const keys = [this.#generationKey(tag), this.#entryKey(open), ...(own === undefined ? [] : [this.#entryKey(own)])];
    const values = (await this.#send(["MGET", ...keys])) as (string | null)[] | undefined;
    if (values === undefined) return undefined;
    const [generation = "0", ...texts] = values.map((value) => value ?? undefined);
    const entry = texts
      .map((text, index) => this.#read(text, generation, index === 0))
      .find((one) => one !== undefined);
    return { generation, entry };
  }

  /** Keeps an entry, without waiting for it. */
  keep(key: string, { text, declared, freshMs, staleMs }: SharedEntry, generation: string): void {
    const freshUntil = Math.floor(this.#options.clock() + freshMs);
    const value = `${generation}\n${freshUntil}\n${staleMs}\n${Number(declared)}\n${text}`;
    void this.#send(["SET", this.#entryKey(key), value, "PX", String(Math.ceil(freshMs + staleMs))]);
  }

  /** Drops everything that has the tag, for all gateways. */
  invalidate(tag: CacheTag): void {
    const key = this.#generationKey(tag);
    void this.#send(["INCR", key]).then(() => this.#send(["EXPIRE", key, String(generationSeconds)]));
  }

  #read(value: string | undefined, generation: string, open: boolean): SharedEntry | undefined {
    if (value === undefined) return undefined;
    const [of, freshUntil, staleMs, declared] = value.split("\n", 4) as [string, string, string, string];
    if (of !== generation) return undefined;
    const head = of.length + freshUntil.length + staleMs.length + declared.length + 4;
    const freshMs = Number(freshUntil) - this.#options.clock();
    if (freshMs + Number(staleMs) <= 0) return undefined;
    return { text: value.slice(head), declared: declared === "1", freshMs, staleMs: Number(staleMs), open };
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
