import type { Limits } from "../config/schema/index.ts";
import { ProcessTable, type ProcessTree } from "../host/process-tree.ts";

/** Limits of a whole instance, which the kernel cannot hold for it: RLIMIT_AS and RLIMIT_DATA stop Node.js at half a gigabyte that it never uses, RLIMIT_NPROC counts all processes of a user, RLIMIT_CPU each process by itself. */
export type MeasuredLimit = "memoryMiB" | "processes" | "cpuSeconds";

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
  /** Called once; `pids` are all of its processes. */
  readonly onOver: (excess: Excess, pids: readonly number[]) => void;
}

export interface LimitWatchOptions {
  readonly read?: () => Pick<ProcessTable, "treeOf">;
  /** Time between two looks. Defaults to 500. */
  readonly everyMs?: number;
}

/** Measures instances against their limits, as long as there are some. A look reads /proc once for all of them: about 20 µs for each process of the machine. */
export class LimitWatch {
  readonly #read: () => Pick<ProcessTable, "treeOf">;
  readonly #everyMs: number;
  readonly #watched = new Map<number, Watched>();
  readonly #shares = new Map<number, number>();
  #timer: NodeJS.Timeout | undefined;

  constructor({ read = () => ProcessTable.read(), everyMs = 500 }: LimitWatchOptions = {}) {
    this.#read = read;
    this.#everyMs = everyMs;
  }

  add(pid: number, watched: Watched): void {
    this.#watched.set(pid, watched);
    this.#timer ??= setInterval(() => this.look(), this.#everyMs).unref();
  }

  remove(pid: number): void {
    this.#watched.delete(pid);
    this.#shares.delete(pid);
    if (this.#watched.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** How near each server's fullest instance was to one of its limits at the last look, 0 to 1 and more. */
  shares(): [server: string, share: number][] {
    const fullest = new Map<string, number>();
    for (const [pid, { server }] of this.#watched) {
      fullest.set(server, Math.max(fullest.get(server) ?? 0, this.#shares.get(pid) ?? 0));
    }
    return [...fullest];
  }

  /** Measures all of them. */
  look(): void {
    const table = this.#read();
    for (const [pid, watched] of [...this.#watched]) {
      const tree = table.treeOf(pid);
      const [worst] = excesses(tree, watched).sort((a, b) => b.used / b.max - a.used / a.max);
      if (worst === undefined) continue;
      const share = worst.used / worst.max;
      this.#shares.set(pid, share);
      if (share <= 1) continue;
      this.remove(pid);
      watched.onOver(worst, tree.pids);
    }
  }
}

function excesses({ bytes, seconds, pids }: ProcessTree, { limits, besides }: Watched): Excess[] {
  const used: Record<MeasuredLimit, number> = {
    memoryMiB: Math.ceil(bytes / 2 ** 20),
    processes: Math.max(0, pids.length - besides),
    cpuSeconds: Math.ceil(seconds),
  };
  return (Object.keys(used) as MeasuredLimit[]).flatMap((limit) => {
    const max = limits[limit];
    return max === undefined ? [] : [{ limit, used: used[limit], max }];
  });
}
