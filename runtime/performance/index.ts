export { FleetPerformance, type FleetPerformanceOptions, type PerformanceCounts } from "./fleet-performance.ts";
