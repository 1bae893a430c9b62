import { createPool, type Pool } from "generic-pool";
import { FleetError, messageOf } from "../../errors.ts";
import type { Params, RpcReply } from "../../protocol/json-rpc.ts";
import type { Connector } from "../../upstreams/upstream-session.ts";
import { victims } from "./eviction.ts";
import type { ResolvedPoolConfig } from "./pool-config.ts";
import { PooledConnection } from "./pooled-connection.ts";

export interface ConnectionPoolOptions {
  readonly id: string;
  readonly protocol: string;
  readonly config: ResolvedPoolConfig;
  readonly connector: Connector;
  /** Deadline of a call that names none, in milliseconds. */
  readonly timeoutMs: number;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  /** 0 to 1, exclusive. */
  readonly random: () => number;
}

/** A pool as operators see it. */
export interface PoolStatistics {
  readonly id: string;
  readonly protocol: string;
  readonly total: number;
  readonly idle: number;
  readonly inUse: number;
  /** Those who wait for a connection. */
  readonly waiting: number;
  readonly max: number;
  /** Connections in use over the maximum, 0 to 1. */
  readonly utilization: number;
  /** Since the pool was made. */
  readonly acquired: number;
  readonly opened: number;
  readonly failedToOpen: number;
  readonly evicted: number;
  readonly expired: number;
  readonly unhealthy: number;
  readonly lost: number;
  /** Longest and mean wait for a connection, in milliseconds. */
  readonly wait: { readonly max: number; readonly mean: number };
}

/** Pause after a failed attempt to open a connection, doubled with each one in a row up to the longest. */
const firstPauseMs = 50;
const longestPauseMs = 5000;
/** Callers that can wait for a connection of one pool. */
const maxPending = 10_000;

/**
 * Open MCP sessions with one server, lent one at a time: opened ahead up to the minimum, never more than the maximum,
 * checked before they are lent, replaced when they are old, sick or lost.
 */
export class ConnectionPool {
  readonly #options: ConnectionPoolOptions;
  readonly #pool: Pool<PooledConnection>;
  readonly #counts = { acquired: 0, opened: 0, failedToOpen: 0, evicted: 0, expired: 0, unhealthy: 0, lost: 0 };
  #waitMax = 0;
  #waitSum = 0;
  #pauseMs = 0;
  #lastError: FleetError | undefined;
  #closed = false;
  #tending = false;
  #inspecting = false;
  #pingedAt: number;

  constructor(options: ConnectionPoolOptions) {
    this.#options = options;
    this.#pingedAt = options.now();
    const { minConnections, maxConnections, acquireTimeout, evictionPolicy } = options.config;
    this.#pool = createPool<PooledConnection>(
      {
        create: () => this.#open(),
        destroy: (connection) => connection.close().catch(() => {}),
        validate: async (connection) => this.#inspecting || this.#serves(connection),
      },
      {
        ...{ min: minConnections, max: maxConnections, acquireTimeoutMillis: acquireTimeout, testOnBorrow: true },
        // The oldest idle one is lent first where use is to be even; else the one that is warm.
        fifo: evictionPolicy === "fifo" || evictionPolicy === "random",
      },
    );
    this.#pool.on("factoryCreateError", (error: unknown) => {
      this.#lastError = error instanceof FleetError ? error : undefined;
    });
  }

  get id(): string {
    return this.#options.id;
  }

  /** Takes a connection for its holder alone, who gives it back with `release`. Rejects with a retryable FleetError. */
  async acquire(): Promise<PooledConnection> {
    const { now, id, config } = this.#options;
    if (this.#closed) throw new FleetError("DRAINING", `pool "${id}" is closed`);
    if (this.#pool.pending >= maxPending) {
      const fix = "send less at once, or raise maxConnections";
      throw new FleetError("POOL_EXHAUSTED", `pool "${id}": ${maxPending} callers wait for a connection; ${fix}`);
    }
    const began = now();
    let connection: PooledConnection;
    try {
      connection = await this.#pool.acquire();
    } catch (error) {
      const { available, borrowed } = this.#pool;
      if (available + borrowed === 0 && this.#lastError !== undefined) throw this.#lastError;
      const fix = "give connections back sooner, or raise maxConnections";
      const text = `pool "${id}": no connection came free within ${config.acquireTimeout} ms (${messageOf(error)}); ${fix}`;
      throw new FleetError("POOL_EXHAUSTED", text, { cause: error });
    }
    const waited = now() - began;
    this.#waitSum += waited;
    this.#waitMax = Math.max(this.#waitMax, waited);
    this.#counts.acquired += 1;
    connection.uses += 1;
    return connection;
  }

  /** Gives a connection back. One that has ended is replaced. */
  async release(connection: PooledConnection): Promise<void> {
    if (!this.#pool.isBorrowedResource(connection)) return;
    connection.lastUsedAt = this.#options.now();
    if (connection.ended === undefined) await this.#pool.release(connection);
    else {
      this.#counts.lost += 1;
      await this.#pool.destroy(connection);
    }
  }

  /** Lends a connection for as long as `work` takes. */
  async use<Result>(work: (connection: PooledConnection) => Promise<Result>): Promise<Result> {
    const connection = await this.acquire();
    try {
      return await work(connection);
    } finally {
      await this.release(connection);
    }
  }

  /** One call on one connection. */
  request(method: string, params?: Params, terms?: { readonly timeoutMs?: number }): Promise<RpcReply> {
    return this.use((connection) => connection.request(method, params, terms));
  }

  /** Opens the minimum; resolves when it is open, rejects when that fails. */
  async warmUp(): Promise<void> {
    const opened = await Promise.allSettled(
      Array.from({ length: this.#options.config.minConnections }, () => this.acquire()),
    );
    for (const one of opened) if (one.status === "fulfilled") await this.release(one.value);
    const failed = opened.find((one) => one.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }

  statistics(): PoolStatistics {
    const { id, protocol } = this.#options;
    const { size: total, available: idle, borrowed: inUse, pending: waiting, max } = this.#pool;
    const wait = { max: this.#waitMax, mean: this.#counts.acquired === 0 ? 0 : this.#waitSum / this.#counts.acquired };
    return { id, protocol, total, idle, inUse, waiting, max, utilization: inUse / max, ...this.#counts, wait };
  }

  /**
   * Looks after what is idle; the manager calls it every second. Closes what has been idle for too long, in the order of
   * the eviction policy and not below the minimum, replaces what is too old, pings the rest when that is due.
   */
  async tend(): Promise<void> {
    if (this.#closed || this.#tending) return;
    this.#tending = true;
    try {
      const kept = new Set(await this.#takeIdle());
      const destroy = (connection: PooledConnection) => {
        kept.delete(connection);
        return this.#pool.destroy(connection);
      };
      for (const connection of [...kept]) if (!this.#serves(connection)) await destroy(connection);
      for (const connection of this.#surplus([...kept])) {
        this.#counts.evicted += 1;
        await destroy(connection);
      }
      if (this.#pingDue()) for (const connection of await this.#sick([...kept])) await destroy(connection);
      for (const connection of kept) await this.#pool.release(connection);
    } finally {
      this.#tending = false;
    }
  }

  /** Waits for what is lent, then closes everything. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#pool.drain();
    await this.#pool.clear();
    await this.#options.connector.close();
  }

  async #open(): Promise<PooledConnection> {
    const { connector, timeoutMs, now } = this.#options;
    if (this.#pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, this.#pauseMs));
    try {
      const session = await connector.connect({ onNotification: () => {} });
      this.#pauseMs = 0;
      this.#counts.opened += 1;
      return new PooledConnection(session, timeoutMs, now());
    } catch (error) {
      this.#pauseMs = Math.min(longestPauseMs, Math.max(firstPauseMs, this.#pauseMs * 2));
      this.#counts.failedToOpen += 1;
      throw error;
    }
  }

  #serves(connection: PooledConnection): boolean {
    const { now, config } = this.#options;
    if (connection.ended !== undefined) {
      this.#counts.lost += 1;
      return false;
    }
    if (now() - connection.openedAt < config.maxLifetime) return true;
    this.#counts.expired += 1;
    return false;
  }

  /** Borrows all that are idle, as they are: the check would replace those that nobody needs. */
  async #takeIdle(): Promise<PooledConnection[]> {
    const taken: Promise<PooledConnection>[] = [];
    this.#inspecting = true;
    for (let left = this.#pool.available; left > 0; left -= 1) taken.push(this.#pool.acquire());
    this.#inspecting = false;
    return Promise.all(taken);
  }

  #surplus(idle: readonly PooledConnection[]): PooledConnection[] {
    const { now, random, config } = this.#options;
    const time = now();
    const tired = idle.filter(({ lastUsedAt }) => time - lastUsedAt > config.idleTimeout);
    const count = Math.min(tired.length, this.#pool.size - config.minConnections);
    return victims(tired, count, config.evictionPolicy, random);
  }

  #pingDue(): boolean {
    const { now, config } = this.#options;
    if (!config.healthCheck.enabled || now() - this.#pingedAt < config.healthCheck.interval) return false;
    this.#pingedAt = now();
    return true;
  }

  /** Those that have failed too many checks in a row. */
  async #sick(idle: readonly PooledConnection[]): Promise<PooledConnection[]> {
    const { timeout, maxFailures } = this.#options.config.healthCheck;
    await Promise.all(
      idle.map(async (connection) => {
        connection.failures = (await connection.ping(timeout)) ? 0 : connection.failures + 1;
      }),
    );
    const sick = idle.filter(({ failures, ended }) => failures >= maxFailures || ended !== undefined);
    this.#counts.unhealthy += sick.length;
    return sick;
  }
}
