import { existsSync } from "node:fs";
import { totalmem } from "node:os";
import type { ResolvedServer } from "../config/resolved.ts";
import { FleetError } from "../errors.ts";
import { ProcessTable } from "../host/process-tree.ts";

/** Time over which processor time is averaged: one call must not start a process. */
const windowMs = 5000;
/** A load this near to the target changes nothing, as with Kubernetes' autoscaler. */
const tolerance = 0.1;

/** What the processes of a fleet are to use on average, in percent; at least one of the two. */
export interface ResourceTargets {
  /** Of one processor. */
  readonly cpuPercent: number | undefined;
  /** Of `memoryBytes`. */
  readonly memoryPercent: number | undefined;
  readonly memoryBytes: number;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  /** Reads all processes of the machine. Defaults to /proc. */
  readonly read?: () => Pick<ProcessTable, "treeOf">;
}

/** How many processes a fleet needs for what they use: `count × used / target`, as Kubernetes' autoscaler counts. */
export class ResourceNeed {
  readonly #targets: ResourceTargets;
  /** Processor seconds of each process at the last look. */
  #seconds: ReadonlyMap<number, number> = new Map();
  #lookedAt: number;
  #needed = 0;

  constructor(targets: ResourceTargets) {
    this.#targets = targets;
    this.#lookedAt = targets.now();
  }

  /** Looks at these processes once in five seconds; says what it has found last. */
  of(pids: readonly number[]): number {
    const { now, read = () => ProcessTable.read(), cpuPercent, memoryPercent, memoryBytes } = this.#targets;
    const passedMs = now() - this.#lookedAt;
    if (passedMs < windowMs) return this.#needed;
    const table = read();
    const used = pids.map((pid) => ({ pid, ...table.treeOf(pid) }));
    const before = this.#seconds;
    const busy = used.flatMap(({ pid, seconds }) => {
      const earlier = before.get(pid);
      return earlier === undefined ? [] : [((seconds - earlier) * 100_000) / passedMs];
    });
    const full = used.map(({ bytes }) => (bytes * 100) / memoryBytes);
    this.#seconds = new Map(used.map(({ pid, seconds }) => [pid, seconds]));
    this.#lookedAt = now();
    const share = Math.max(shareOf(busy, cpuPercent), shareOf(full, memoryPercent));
    this.#needed = Math.abs(share - 1) <= tolerance ? pids.length : Math.ceil(pids.length * share);
    return this.#needed;
  }
}

/** The average as a share of the target; 0 where nothing is known. */
function shareOf(used: readonly number[], target: number | undefined): number {
  if (target === undefined || used.length === 0) return 0;
  return used.reduce((sum, one) => sum + one, 0) / used.length / target;
}

/** The need of a server that has targets; undefined for another one. Throws CONFIG_INVALID where nothing can read what processes use. */
export function resourceNeedOf(
  { name, scaling, limits }: Pick<ResolvedServer, "name" | "scaling" | "limits">,
  now: () => number,
): ResourceNeed | undefined {
  const { targetCpuPercent: cpuPercent, targetMemoryPercent: memoryPercent, maxInstances } = scaling;
  if (cpuPercent === undefined && memoryPercent === undefined) return undefined;
  if (!existsSync("/proc/self/stat")) {
    const field = cpuPercent === undefined ? "targetMemoryPercent" : "targetCpuPercent";
    const fix = "remove it, or give scaling.targetInFlight";
    throw new FleetError(
      "CONFIG_INVALID",
      `servers.${name}.scaling.${field} needs /proc, which this system lacks; ${fix}`,
    );
  }
  const constrained = process.constrainedMemory();
  const machine = constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
  const memoryBytes = limits?.memoryMiB === undefined ? machine / maxInstances : limits.memoryMiB * 2 ** 20;
  return new ResourceNeed({ cpuPercent, memoryPercent, memoryBytes, now });
}
