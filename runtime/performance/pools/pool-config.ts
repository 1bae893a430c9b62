import { type Fields, refuseUnknown } from "../../config/known-fields.ts";
import { FleetError } from "../../errors.ts";

/** Which connections go first when a pool has more than it needs: `size` those that have carried the most bytes. */
export const evictionPolicies = ["lru", "lfu", "fifo", "random", "size"] as const;
export type EvictionPolicy = (typeof evictionPolicies)[number];

/** How a pool sees whether its idle connections still serve. */
export interface PoolHealthCheck {
  /** Defaults to true. */
  readonly enabled?: boolean;
  /** Milliseconds between two pings of an idle connection. Defaults to 30000. */
  readonly interval?: number;
  /** Milliseconds until a ping counts as failed. Defaults to 5000. */
  readonly timeout?: number;
  /** Failed pings in a row after which a connection is replaced. Defaults to 2. */
  readonly maxFailures?: number;
}

/** A connection pool, in the words of the specification. Times are in milliseconds. */
export interface ConnectionPoolConfig {
  /** Opened at once and kept. Defaults to 0. */
  readonly minConnections?: number;
  /** Defaults to 10. */
  readonly maxConnections?: number;
  /** How long to wait for a connection. Defaults to 30000. */
  readonly acquireTimeout?: number;
  /** A connection beyond the minimum is closed after so long without work. Defaults to 300000. */
  readonly idleTimeout?: number;
  /** A connection is replaced when it is so old. Defaults to 3600000. */
  readonly maxLifetime?: number;
  /** Defaults to `lru`. */
  readonly evictionPolicy?: EvictionPolicy;
  readonly healthCheck?: PoolHealthCheck;
}

/** A pool's configuration with every default applied. */
export type ResolvedPoolConfig = Required<Omit<ConnectionPoolConfig, "healthCheck">> & {
  readonly healthCheck: Required<PoolHealthCheck>;
};

const defaults: ResolvedPoolConfig = {
  minConnections: 0,
  maxConnections: 10,
  // Servers written in Python take seconds to start.
  acquireTimeout: 30_000,
  idleTimeout: 300_000,
  // Names move to other addresses, and processes leak.
  maxLifetime: 3_600_000,
  evictionPolicy: "lru",
  healthCheck: { enabled: true, interval: 30_000, timeout: 5000, maxFailures: 2 },
};

const fields: Fields<ConnectionPoolConfig> = {
  minConnections: "any",
  maxConnections: "any",
  acquireTimeout: "any",
  idleTimeout: "any",
  maxLifetime: "any",
  evictionPolicy: "any",
  healthCheck: { enabled: "any", interval: "any", timeout: "any", maxFailures: "any" },
};

/** Applies the defaults. Throws CONFIG_INVALID with the pool, the field, the value and what is right. */
export function resolvePool(id: string, config: ConnectionPoolConfig): ResolvedPoolConfig {
  refuseUnknown(`pool "${id}"`, config, fields);
  const resolved = { ...defaults, ...config, healthCheck: { ...defaults.healthCheck, ...config.healthCheck } };
  const { healthCheck, evictionPolicy, minConnections, maxConnections, ...times } = resolved;
  const wholeFrom = (least: number, fields: Readonly<Record<string, number>>, prefix = "") => {
    for (const [field, value] of Object.entries(fields))
      if (!Number.isInteger(value) || value < least) refuse(id, prefix + field, value, `a whole number from ${least}`);
  };
  wholeFrom(0, { minConnections });
  wholeFrom(1, { maxConnections, ...times });
  const { enabled: _enabled, ...pings } = healthCheck;
  wholeFrom(1, pings, "healthCheck.");
  if (minConnections > maxConnections)
    refuse(id, "minConnections", minConnections, `no more than maxConnections (${maxConnections})`);
  if (!evictionPolicies.includes(evictionPolicy))
    refuse(id, "evictionPolicy", evictionPolicy, `one of ${evictionPolicies.join(", ")}`);
  return resolved;
}

function refuse(id: string, field: string, value: unknown, right: string): never {
  throw new FleetError("CONFIG_INVALID", `pool "${id}": ${field} is ${JSON.stringify(value)}; it must be ${right}`);
}
