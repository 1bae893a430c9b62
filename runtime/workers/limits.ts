import { readFileSync } from "node:fs";
import { availableParallelism, totalmem } from "node:os";
import { getHeapStatistics } from "node:v8";
import { readCgroup } from "../host/cgroup.ts";

/** What this process may use, where something limits it. */
export interface Limits {
  /** Cores, from the machine and the control group's CPU quota. */
  readonly cores: number;
  /** Bytes of memory of the control group. */
  readonly memoryBytes: number | undefined;
  /** File descriptors of one process. */
  readonly descriptors: number | undefined;
}

/** Reads the limits of this process (cgroups(7) of both versions, proc(5)). */
export function readLimits(root = "/sys/fs/cgroup", limits = "/proc/self/limits"): Limits {
  const { cpu, memory } = readCgroup(root);
  return {
    cores: Math.min(availableParallelism(), cpu?.cores ?? Number.POSITIVE_INFINITY),
    memoryBytes: memory?.limit,
    descriptors: descriptorsIn(limits),
  };
}

/** How many workers `gateway.workers` means: `auto` is one for each whole core. */
export function workerCount(workers: number | "auto", { cores }: Limits): number {
  return workers === "auto" ? Math.max(1, Math.floor(cores)) : workers;
}

/** What a session with an open connection takes, with room to spare (docs/benchmarks.md). */
const bytesPerSession = 32 * 1024;
/** Share of the memory that sessions may take; the rest is for calls in flight and the heap's own needs. */
const shareOfSessions = 0.25;

/** Sessions that one worker keeps in memory: the configured bound, or less where the memory of the group is less. */
export function sessionBound(configured: number, workers: number, { memoryBytes }: Limits): number {
  const fitting =
    memoryBytes === undefined ? configured : Math.floor((memoryBytes * shareOfSessions) / bytesPerSession);
  return Math.max(1, Math.ceil(Math.min(configured, fitting) / workers));
}

/** Share of the memory that bytes may take which wait for clients and servers, and of V8's heap: most of them are texts. */
const shareOfBytes = 0.25;
const shareOfHeap = 0.5;

/** Bytes that one process holds for its clients: the configured bound, or what its memory and its heap allow. */
export function byteBound(
  configured: number | undefined,
  workers: number,
  { memoryBytes = totalmem() }: Limits,
): number {
  const { heap_size_limit: heap } = getHeapStatistics();
  return configured ?? Math.floor(Math.min((memoryBytes * shareOfBytes) / workers, heap * shareOfHeap));
}

/** Connections of clients that one process may hold: each may need a second descriptor towards a server. */
export function connectionBound({ descriptors }: Limits): number | undefined {
  return descriptors === undefined ? undefined : Math.max(16, Math.floor(descriptors * 0.45));
}

function descriptorsIn(path: string): number | undefined {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync(path, "utf8"))?.[1];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined;
  }
}
