export { EntrySeal } from "./entry-seal.ts";
export { FleetPerformance, type FleetPerformanceOptions, type PerformanceCounts } from "./fleet-performance.ts";
export { type Coding, codingFor, codings, encodePayload } from "./payload-coding.ts";
export { Redis } from "./redis.ts";
export type { SharedSpaceOptions } from "./shared-cache.ts";
