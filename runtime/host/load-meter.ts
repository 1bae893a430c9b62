import { availableParallelism, totalmem } from "node:os";
import { type CgroupReading, readCgroup } from "./cgroup.ts";
import { readProcessTree, type TreeUsage } from "./process-tree.ts";

/** How busy a server host is. */
export interface HostLoad {
  /** CPU time of host and servers over what they may use, 0 to 1, in the last second or so. */
  readonly cpu: number;
  /** Memory of host and servers over what they may use, 0 to 1. */
  readonly memory: number;
}

export interface LoadMeterOptions {
  /** Monotonic time in milliseconds. */
  readonly now: () => number;
  readonly cgroup?: () => CgroupReading;
  readonly tree?: () => TreeUsage;
  readonly machine?: { readonly cores: number; readonly bytes: number };
}

interface CpuReading {
  readonly at: number;
  readonly seconds: number;
  readonly cores: number;
}

/**
 * Measures this process and its servers against the limits of their container, or where there are none against the
 * machine. Two readings make a figure for the CPU: `sample()` is called every second.
 */
export class LoadMeter {
  readonly #options: Required<LoadMeterOptions>;
  #last: CpuReading;
  #load: HostLoad;

  constructor(options: LoadMeterOptions) {
    this.#options = {
      cgroup: () => readCgroup("/sys/fs/cgroup"),
      tree: () => readProcessTree(process.pid),
      machine: { cores: availableParallelism(), bytes: totalmem() },
      ...options,
    };
    const { cpu, memory } = this.#read();
    this.#last = cpu;
    this.#load = { cpu: 0, memory };
  }

  /** The figures of the last sample. */
  get load(): HostLoad {
    return this.#load;
  }

  sample(): void {
    const { cpu, memory } = this.#read();
    const elapsed = (cpu.at - this.#last.at) / 1000;
    const used = (cpu.seconds - this.#last.seconds) / cpu.cores;
    this.#last = cpu;
    // Servers that ended between two readings can make the sum smaller.
    if (elapsed > 0) this.#load = { cpu: share(used / elapsed), memory };
  }

  #read(): { cpu: CpuReading; memory: number } {
    const { now, cgroup, tree, machine } = this.#options;
    const limits = cgroup();
    const whole = limits.cpu === undefined || limits.memory === undefined ? tree() : undefined;
    const cpu = limits.cpu ?? { seconds: whole?.seconds ?? 0, cores: machine.cores };
    const memory = limits.memory ?? { used: whole?.bytes ?? 0, limit: machine.bytes };
    return { cpu: { at: now(), ...cpu }, memory: share(memory.used / memory.limit) };
  }
}

/** Between 0 and 1, in thousandths: more would be noise. */
function share(value: number): number {
  return Math.round(Math.min(1, Math.max(0, value)) * 1000) / 1000;
}
