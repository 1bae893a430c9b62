import type { Logger } from "pino";
import type { RedisCommands } from "./shared-cache.ts";

export interface RedisOptions {
  /** What it is used for, for log lines. `counts` must not be evicted. */
  readonly role: "counts" | "answers";
  /** `redis://[user:password@]host:port[/database]`, or `rediss://` for TLS. */
  readonly url: string;
  /** Where the URL has none. */
  readonly password?: string | undefined;
  readonly log: Logger;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
}

/** A command that takes longer is given up, … */
const patienceMs = 100;
/** … and Redis is left alone for so long: a server that hangs costs one call a moment, not each call. */
const restMs = 1000;
/** Commands that may be on their way. */
const maxQueued = 1000;
const longestPauseMs = 5000;
/** What may come without an answer that is whole: the largest that a server's answers may be. The client has no bound. */
const maxReplyBytes = 64 * 1024 * 1024;

/** A connection to Redis that is never waited for: it comes up when it can, and what cannot be sent at once is refused. */
export class Redis implements RedisCommands {
  readonly #now: () => number;
  readonly #client: Client;
  readonly #log: Logger;
  #restUntil = 0;
  /** Bytes that have come since the last answer. */
  #unanswered = 0;
  #closed = false;

  private constructor(client: Client, { now, log }: Pick<RedisOptions, "now" | "log">) {
    this.#client = client;
    this.#now = now;
    this.#log = log;
    // Taken out and put back: there is no other way to what the connection reads.
    const socket = client._ejectSocket();
    client._insertSocket(socket);
    socket.on("data", (bytes: Buffer) => this.#came(bytes.length));
  }

  /** Begins to connect, now and whenever the connection is lost. Reports the first loss of a row. */
  static async open({ role, url, password, log, now }: RedisOptions): Promise<Redis> {
    const client = await clientOf(url, password);
    const redis = new Redis(client, { now, log });
    let away = false;
    client.on("error", (error: Error) => {
      if (!away)
        log.warn({ err: error, role }, "Redis is away: what is shared between gateways is kept in each one alone");
      away = true;
    });
    client.on("ready", () => {
      if (away) log.info({ role }, "Redis is back");
      away = false;
      redis.#unanswered = 0;
      if (role === "counts") void redis.#checkPolicy(log);
    });
    void client.connect().catch(() => {});
    return redis;
  }

  /** Warns of a Redis that drops counts when it is full: callers would then pass their limits. */
  async #checkPolicy(log: Logger): Promise<void> {
    const policy = await evictionPolicy((words) => this.send(words));
    if (policy === undefined) {
      log.info("gateway.shared.redis: its maxmemory-policy cannot be read; see that it is noeviction");
    } else if (policy !== "noeviction") {
      const fix = "set it to noeviction, and give kept answers a Redis of their own (gateway.shared.cacheRedis)";
      log.warn({ policy }, `gateway.shared.redis: its maxmemory-policy may drop the counts of limits; ${fix}`);
    }
  }

  get ready(): boolean {
    return this.#client.isReady && this.#now() >= this.#restUntil;
  }

  async send(words: readonly string[]): Promise<unknown> {
    let timer: NodeJS.Timeout | undefined;
    let answered = false;
    const tooLong = new Promise<never>((_resolve, reject) => {
      const giveUp = () => {
        if (answered) return;
        this.#restUntil = this.#now() + restMs;
        reject(new Error(`Redis has not answered within ${patienceMs} ms`));
      };
      // A process that was busy itself reads first what has come meanwhile.
      timer = setTimeout(() => setImmediate(giveUp), patienceMs);
    });
    try {
      // A late answer is one, too.
      const answer = this.#client.sendCommand([...words]).finally(() => {
        this.#unanswered = 0;
      });
      return await Promise.race([answer, tooLong]);
    } finally {
      answered = true;
      clearTimeout(timer);
    }
  }

  /** An answer without end would be kept until the memory is full: its connection is dropped. */
  #came(bytes: number): void {
    this.#unanswered += bytes;
    if (this.#unanswered <= maxReplyBytes || this.#closed) return;
    this.#log.warn(`Redis has sent ${this.#unanswered} bytes without the end of an answer: its connection is dropped`);
    this.#unanswered = 0;
    this.#restUntil = this.#now() + restMs;
    this.#client.destroy();
    setTimeout(() => {
      if (!this.#closed) void this.#client.connect().catch(() => {});
    }, restMs).unref();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#client.destroy();
  }
}

/** `maxmemory-policy` of a Redis; undefined where neither `CONFIG GET` nor `INFO` may be asked. Exported for its test. */
export async function evictionPolicy(
  send: (words: readonly string[]) => Promise<unknown>,
): Promise<string | undefined> {
  try {
    // A list in RESP2, a map in RESP3.
    const answer = await send(["CONFIG", "GET", "maxmemory-policy"]);
    const policy = Array.isArray(answer) ? answer[1] : (answer as Record<string, unknown>)["maxmemory-policy"];
    if (typeof policy === "string") return policy;
  } catch {
    // Managed services forbid CONFIG.
  }
  const info = await send(["INFO", "memory"]).catch(() => "");
  return /^maxmemory_policy:(\S+)/m.exec(String(info))?.[1];
}

type Client = Awaited<ReturnType<typeof clientOf>>;

/** The client is loaded with the first gateway that shares something. */
async function clientOf(url: string, password: string | undefined) {
  const { createClient } = await import("./redis-client.ts");
  return createClient({
    url,
    ...(password === undefined ? {} : { password }),
    disableOfflineQueue: true,
    commandsQueueMaxLength: maxQueued,
    socket: { connectTimeout: 2000, reconnectStrategy: (retries) => Math.min(50 * 2 ** retries, longestPauseMs) },
  });
}
