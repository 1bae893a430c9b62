export type { BatchCacheConfig, BatchConfig } from "./batch-config.ts";
export { BatchConnector, type BatchConnectorOptions } from "./batch-connector.ts";
export { BatchEndpoint, type BatchEndpointOptions } from "./batch-endpoint.ts";
export { type BatchedCall, Batcher, type BatchUpstream } from "./batcher.ts";
export {
  type BatchRequestOptions,
  type BatchStatistics,
  RequestBatchingEngine,
  type RequestBatchingEngineOptions,
} from "./request-batching-engine.ts";
