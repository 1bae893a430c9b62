export { FleetPerformance, type FleetPerformanceOptions, type PerformanceCounts } from "./fleet-performance.ts";
export { type Coding, codingFor, codings, encodePayload } from "./payload-coding.ts";
export type { SharedSpaceOptions } from "./shared-cache.ts";
export { openSharedStores } from "./shared-stores.ts";
