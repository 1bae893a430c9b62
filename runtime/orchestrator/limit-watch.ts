import { uptime } from "node:os";
import type { Limits } from "../config/schema/index.ts";
import { CpuLedger } from "../host/cpu-ledger.ts";
import { FolderMeter } from "../host/folder-meter.ts";
import { anonymousFileBytes, temporaryBytes } from "../host/hidden-memory.ts";
import type { InstanceCgroup } from "../host/instance-cgroup.ts";
import { ProcessTable } from "../host/process-tree.ts";

/** Limits of a whole instance, which the kernel cannot hold for it: RLIMIT_AS and RLIMIT_DATA stop Node.js at half a gigabyte that it never uses, RLIMIT_NPROC counts all processes of a user, RLIMIT_CPU each process by itself. */
export type MeasuredLimit = "memoryMiB" | "processes" | "cpuSeconds" | "diskMiB";

/** A limit that an instance has gone over. */
export interface Excess {
  readonly limit: MeasuredLimit;
  readonly used: number;
  readonly max: number;
}

/** One instance under watch. */
export interface Watched {
  readonly server: string;
  readonly limits: Limits;
  /** Processes that are not the server's own. */
  readonly besides: number;
  /** Its control group; without one /proc is read. */
  readonly group?: InstanceCgroup | undefined;
  /** Its temporary folder on disk, which `diskMiB` bounds; in a sandbox it is in memory, and the kernel bounds it. */
  readonly folder?: string | undefined;
  /** Places of its sandbox that are in memory. */
  readonly inMemory?: readonly string[];
  /** Called once; `pids` are all of its processes. */
  readonly onOver: (excess: Excess, pids: readonly number[]) => void;
}

export interface LimitWatchOptions {
  readonly read?: () => Pick<ProcessTable, "treeOf">;
  /** Bytes of memory that are in no process: of files without a name, and of file systems in memory. */
  readonly hidden?: (pids: readonly number[], inMemory: readonly string[]) => number;
  /** Seconds since the machine was started. */
  readonly uptime?: () => number;
  /** Time between two looks. Defaults to 500. */
  readonly everyMs?: number;
}

/** What an instance uses, as far as it is bounded. */
interface Usage {
  readonly bytes: number;
  readonly seconds: number;
  readonly pids: readonly number[];
}

interface Entry extends Watched {
  readonly ledger: CpuLedger;
  readonly disk: FolderMeter | undefined;
  share: number;
}

const mib = 2 ** 20;

/** What the kernel holds a control group to: more than the limit, so that the gateway finds it out first and can say so. */
export const hardMemoryMiB = (limit: number): number => Math.ceil((limit * 9) / 8);

/** Measures instances against their limits, as long as there are some. A look reads /proc once for all that have no control group: about 20 µs for each process of the machine. */
export class LimitWatch {
  readonly #options: Required<LimitWatchOptions>;
  /** One for each running process. */
  readonly #watched = new Map<number, Entry>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: LimitWatchOptions = {}) {
    const hidden = (pids: readonly number[], inMemory: readonly string[]) =>
      anonymousFileBytes(pids) + temporaryBytes(pids, inMemory);
    this.#options = { read: () => ProcessTable.read(), hidden, uptime, everyMs: 500, ...options };
  }

  add(pid: number, watched: Watched): void {
    const { folder, limits } = watched;
    const { diskMiB } = limits;
    const disk = folder && diskMiB ? new FolderMeter({ folder, enough: 2 * diskMiB * mib }) : undefined;
    this.#watched.set(pid, { ...watched, disk, ledger: new CpuLedger(), share: 0 });
    this.#timer ??= setInterval(() => this.look(), this.#options.everyMs).unref();
  }

  /** Its process has ended. Returns the limit for which the kernel ended it, if it did. */
  remove(pid: number): Excess | undefined {
    const entry = this.#watched.get(pid);
    this.#watched.delete(pid);
    if (this.#watched.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
    return entry && outOfMemory(entry);
  }

  /** How near each server's fullest instance was to one of its limits at the last look, 0 to 1 and more. */
  shares(): [server: string, share: number][] {
    const fullest = new Map<string, number>();
    for (const { server, share } of this.#watched.values()) {
      fullest.set(server, Math.max(fullest.get(server) ?? 0, share));
    }
    return [...fullest];
  }

  /** Measures all of them. */
  look(): void {
    let table: Pick<ProcessTable, "treeOf"> | undefined;
    for (const [pid, entry] of [...this.#watched]) {
      if (entry.group === undefined) table ??= this.#options.read();
      const usage = entry.group?.read() ?? this.#measured(pid, entry, table as Pick<ProcessTable, "treeOf">);
      const [worst] = excesses(usage, entry).sort((a, b) => b.used / b.max - a.used / a.max);
      if (worst === undefined) continue;
      entry.share = worst.used / worst.max;
      if (entry.share <= 1) continue;
      this.remove(pid);
      entry.onOver(worst, usage.pids);
    }
  }

  #measured(pid: number, { ledger, limits, inMemory = [] }: Entry, table: Pick<ProcessTable, "treeOf">): Usage {
    const { bytes, members, pids } = table.treeOf(pid, ledger.known);
    const seconds = ledger.add(members, this.#options.uptime());
    const more = limits.memoryMiB === undefined ? 0 : this.#options.hidden(pids, inMemory);
    return { bytes: bytes + more, seconds, pids };
  }
}

function excesses({ bytes, seconds, pids }: Usage, entry: Entry): Excess[] {
  const { limits, besides, disk } = entry;
  const used: Record<MeasuredLimit, number> = {
    memoryMiB: outOfMemory(entry)?.used ?? Math.ceil(bytes / mib),
    processes: Math.max(0, pids.length - besides),
    cpuSeconds: Math.ceil(seconds),
    diskMiB: Math.ceil((disk?.look() ?? 0) / mib),
  };
  return (Object.keys(used) as MeasuredLimit[]).flatMap((limit) => {
    const max = limits[limit];
    return max === undefined || (limit === "diskMiB" && disk === undefined) ? [] : [{ limit, used: used[limit], max }];
  });
}

/** The kernel has ended a process of it before a look found out. */
function outOfMemory({ group, limits: { memoryMiB: max } }: Entry): Excess | undefined {
  if (max === undefined || group?.outOfMemory !== true) return undefined;
  return { limit: "memoryMiB", used: hardMemoryMiB(max), max };
}
