export { readLimits, workerCount } from "./limits.ts";
export { type RunningWorkers, startWorkers, type WorkerStatus } from "./supervisor.ts";
