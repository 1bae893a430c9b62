/** Processor units and MiB of one Fargate task, as texts. */
export interface TaskSize {
  readonly cpu: string;
  readonly memory: string;
}

/** The pairs that Fargate has: units, and memory from, to, in steps of (MiB). */
const sizes = [
  { cpu: 256, memory: [512, 1024, 2048] },
  { cpu: 512, memory: steps(1024, 4096, 1024) },
  { cpu: 1024, memory: steps(2048, 8192, 1024) },
  { cpu: 2048, memory: steps(4096, 16_384, 1024) },
  { cpu: 4096, memory: steps(8192, 30_720, 1024) },
  { cpu: 8192, memory: steps(16_384, 61_440, 4096) },
  { cpu: 16_384, memory: steps(32_768, 122_880, 8192) },
];

/** The smallest pair that has at least so much of both; undefined when none has. */
export function taskSize(cpuMillicores: number, memoryMiB: number): TaskSize | undefined {
  const units = (cpuMillicores * 1024) / 1000;
  for (const { cpu, memory } of sizes) {
    const enough = cpu < units ? undefined : memory.find((mib) => mib >= memoryMiB);
    if (enough !== undefined) return { cpu: String(cpu), memory: String(enough) };
  }
  return undefined;
}

function steps(from: number, to: number, by: number): number[] {
  return Array.from({ length: (to - from) / by + 1 }, (_, index) => from + index * by);
}
