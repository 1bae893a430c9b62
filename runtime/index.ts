export { type LoadedConfig, loadConfig, type ResolvedConfig } from "./config/index.ts";
export { type ErrorCode, ErrorKinds, FleetError } from "./errors.ts";
export { type GatewayOptions, type GatewayStatus, type RunningGateway, startGateway } from "./gateway.ts";
export {
  ClusterCoordinator,
  type ClusterMember,
  type CoordinatorOptions,
  type ReportedServer,
} from "./orchestrator/cluster/index.ts";
export {
  type BatchCacheConfig,
  type BatchConfig,
  type BatchedCall,
  type BatchRequestOptions,
  type BatchStatistics,
  type BatchUpstream,
  RequestBatchingEngine,
  type RequestBatchingEngineOptions,
} from "./performance/batching/index.ts";
export {
  ConnectionPool,
  type ConnectionPoolConfig,
  ConnectionPoolManager,
  type ConnectionPoolManagerOptions,
  type EvictionPolicy,
  type PoolClientConfig,
  PooledConnection,
  type PoolHealthCheck,
  type PoolProtocol,
  type PoolStatistics,
} from "./performance/pools/index.ts";
export {
  CompleteMCPIntegration,
  type CompleteMCPIntegrationOptions,
} from "./programs/complete-mcp-integration.ts";
export type { MCPServerConfig } from "./programs/mcp-server-config.ts";
export { MCPServerOrchestrator, type OrchestratorEvents } from "./programs/mcp-server-orchestrator.ts";
export type { ListenOptions, OrchestratorOptions } from "./programs/orchestrator-options.ts";
export type { ExecuteOptions } from "./programs/program-gateway.ts";
export { Strategies } from "./registry/balancing/strategies.ts";
export type { Candidate, HostLoad, LoadBalancingStrategy, StrategyFactory } from "./registry/balancing/strategy.ts";
export type { FleetHealth, FleetStatus } from "./registry/fleet-status.ts";
