export { ConnectionPool, type PoolStatistics } from "./connection-pool.ts";
export { ConnectionPoolManager, type ConnectionPoolManagerOptions } from "./connection-pool-manager.ts";
export {
  type ConnectionPoolConfig,
  type EvictionPolicy,
  evictionPolicies,
  type PoolHealthCheck,
} from "./pool-config.ts";
export { type PoolClientConfig, type PoolProtocol, poolProtocols } from "./pool-connector.ts";
export { PooledConnection } from "./pooled-connection.ts";
