import { performance } from "node:perf_hooks";
import pino, { type Logger } from "pino";
import type { Registry } from "prom-client";
import { type Fields, refuseUnknown } from "../../config/known-fields.ts";
import { FleetError } from "../../errors.ts";
import { ConnectionPool, type PoolStatistics } from "./connection-pool.ts";
import { type ConnectionPoolConfig, resolvePool } from "./pool-config.ts";
import { type PoolClientConfig, type PoolProtocol, poolConnector } from "./pool-connector.ts";
import { tellPools } from "./pool-gauge.ts";

export interface ConnectionPoolManagerOptions {
  /** Where `mcp_connection_pool_utilization` and the other gauges of the pools are registered; managers can share one. Defaults to nowhere. */
  readonly registry?: Registry;
  /** Defaults to silence. */
  readonly log?: Logger;
  /** Milliseconds of a clock that never goes back. Defaults to that of the process. */
  readonly now?: () => number;
  /** 0 to 1, exclusive; chooses victims of the policy `random`. Defaults to `Math.random`. */
  readonly random?: () => number;
}

const tendMs = 1000;
const clientFields: Fields<PoolClientConfig> = { connectTimeout: "any", timeout: "any", args: "any", env: "any" };
const clientDefaults = { connectTimeout: 30_000, timeout: 120_000 };

/** Connection pools by id, for programs that talk to MCP servers themselves. */
export class ConnectionPoolManager {
  readonly #options: Required<Omit<ConnectionPoolManagerOptions, "registry">>;
  readonly #pools = new Map<string, ConnectionPool>();
  readonly #pulse: NodeJS.Timeout;
  readonly #untold: (() => void) | undefined;

  constructor({ registry, ...options }: ConnectionPoolManagerOptions = {}) {
    const defaults = { log: pino({ level: "silent" }), now: () => performance.now(), random: Math.random };
    this.#options = { ...defaults, ...options };
    this.#pulse = setInterval(() => void this.tend(), tendMs).unref();
    this.#untold = registry && tellPools(registry, () => this.statistics());
  }

  /**
   * Makes a pool and begins to open its minimum. `endpoint` is a URL, or the command of a `stdio` server. Throws
   * CONFIG_INVALID for a wrong setting or an id that is taken.
   */
  createPool(
    id: string,
    endpoint: string,
    protocol: PoolProtocol,
    config: ConnectionPoolConfig = {},
    clientConfig: PoolClientConfig = {},
  ): ConnectionPool {
    if (this.#pools.has(id)) {
      throw new FleetError("CONFIG_INVALID", `pool "${id}" exists already; close it first, or choose another id`);
    }
    refuseUnknown(`pool "${id}": clientConfig`, clientConfig, clientFields);
    const client = { ...clientDefaults, ...clientConfig };
    const { log, now, random } = this.#options;
    const resolved = resolvePool(id, config);
    const connector = poolConnector({ id, endpoint, protocol, client, connectMs: client.connectTimeout, log, now });
    const timeoutMs = client.timeout;
    const pool = new ConnectionPool({ id, protocol, config: resolved, connector, timeoutMs, now, random });
    this.#pools.set(id, pool);
    return pool;
  }

  /** Throws CONFIG_INVALID when there is none of that id. */
  pool(id: string): ConnectionPool {
    const pool = this.#pools.get(id);
    if (pool !== undefined) return pool;
    const ids = [...this.#pools.keys()].join(", ");
    throw new FleetError("CONFIG_INVALID", `there is no pool "${id}"; there are: ${ids === "" ? "none" : ids}`);
  }

  /** Of every pool, in the order of creation. */
  statistics(): PoolStatistics[] {
    return [...this.#pools.values()].map((pool) => pool.statistics());
  }

  /** Looks after the idle connections of all pools; happens by itself every second. */
  async tend(): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.tend()));
  }

  /** Waits for what is lent, then closes the pool's connections. */
  async closePool(id: string): Promise<void> {
    const pool = this.pool(id);
    this.#pools.delete(id);
    await pool.close();
  }

  /** Closes every pool. */
  async close(): Promise<void> {
    clearInterval(this.#pulse);
    this.#untold?.();
    await Promise.all([...this.#pools.keys()].map((id) => this.closePool(id)));
  }
}
