import { readFileSync } from "node:fs";
import { join } from "node:path";

/** What a control group may use and has used; a part without a limit is undefined. */
export interface CgroupReading {
  /** CPU time used so far, in seconds, and the share of one core that may be used for good. */
  readonly cpu: { readonly seconds: number; readonly cores: number } | undefined;
  /** Bytes in use without what the kernel would give back at once, and the most that may be in use. */
  readonly memory: { readonly used: number; readonly limit: number } | undefined;
}

/** Limits of the first version above this mean none: it writes the largest number that it can hold. */
const unlimitedBytes = 2 ** 60;

/**
 * Reads the control group that a container sees as its own (cgroups(7), both versions): `root` is `/sys/fs/cgroup`.
 * Outside a container that is the machine's own group, which has no limits.
 */
export function readCgroup(root: string): CgroupReading {
  const file = (...path: string[]): string | undefined => {
    try {
      return readFileSync(join(root, ...path), "utf8").trim();
    } catch {
      return undefined;
    }
  };
  return file("cgroup.controllers") === undefined ? firstVersion(file) : secondVersion(file);
}

type ReadFile = (...path: string[]) => string | undefined;

function secondVersion(file: ReadFile): CgroupReading {
  const [quota, period] = (file("cpu.max") ?? "max").split(" ");
  const used = field(file("cpu.stat"), "usage_usec");
  const limit = Number(file("memory.max"));
  const current = Number(file("memory.current"));
  return {
    cpu: quota === "max" ? undefined : { seconds: used / 1e6, cores: Number(quota) / Number(period) },
    memory: Number.isFinite(limit) ? memory(current, file("memory.stat"), "inactive_file", limit) : undefined,
  };
}

function firstVersion(file: ReadFile): CgroupReading {
  const quota = Number(file("cpu", "cpu.cfs_quota_us") ?? -1);
  const period = Number(file("cpu", "cpu.cfs_period_us"));
  const limit = Number(file("memory", "memory.limit_in_bytes") ?? Number.POSITIVE_INFINITY);
  const current = Number(file("memory", "memory.usage_in_bytes"));
  return {
    cpu: quota <= 0 ? undefined : { seconds: Number(file("cpuacct", "cpuacct.usage")) / 1e9, cores: quota / period },
    memory:
      limit < unlimitedBytes ? memory(current, file("memory", "memory.stat"), "total_inactive_file", limit) : undefined,
  };
}

/** What the kubelet calls the working set: pages of files that nobody uses are given back before anything is killed. */
function memory(current: number, stat: string | undefined, inactive: string, limit: number) {
  return { used: Math.max(0, current - field(stat, inactive)), limit };
}

function field(text: string | undefined, name: string): number {
  const line = text?.split("\n").find((one) => one.startsWith(`${name} `));
  return Number(line?.slice(name.length + 1) ?? 0);
}
