import { readdirSync, readFileSync } from "node:fs";

/** What a process and all below it use. */
export interface TreeUsage {
  /** CPU time so far, in seconds, with that of children that have ended. */
  readonly seconds: number;
  /** Resident memory; pages that several share count for each. */
  readonly bytes: number;
}

/** The same, with the processes themselves. */
export interface ProcessTree extends TreeUsage {
  readonly pids: readonly number[];
}

interface ProcessRow {
  readonly parent: number;
  readonly session: number;
  readonly ticks: number;
  readonly pages: number;
}

// proc(5) gives times in ticks of USER_HZ, which is 100 on every Linux that Node.js runs on, and memory in pages.
const ticksPerSecond = 100;
const pageBytes = 4096;

/** All processes of the machine at one moment; none on systems without /proc. */
export class ProcessTable {
  readonly #rows: ReadonlyMap<number, ProcessRow>;

  private constructor(rows: ReadonlyMap<number, ProcessRow>) {
    this.#rows = rows;
  }

  static read(): ProcessTable {
    const rows = new Map<number, ProcessRow>();
    for (const name of list()) {
      const row = /^\d+$/.test(name) ? read(name) : undefined;
      if (row !== undefined) rows.set(Number(name), row);
    }
    return new ProcessTable(rows);
  }

  /** A process, its descendants, and what stays in the session that it leads when its own parent has gone. */
  treeOf(root: number): ProcessTree {
    let [seconds, bytes] = [0, 0];
    const pids: number[] = [];
    for (const [pid, row] of this.#rows) {
      if (row.session !== root && !this.#descends(pid, root)) continue;
      pids.push(pid);
      seconds += row.ticks / ticksPerSecond;
      bytes += row.pages * pageBytes;
    }
    return { seconds, bytes, pids };
  }

  #descends(pid: number, root: number): boolean {
    let at: number | undefined = pid;
    for (let depth = 0; at !== undefined && depth < this.#rows.size; depth += 1) {
      if (at === root) return true;
      at = this.#rows.get(at)?.parent;
    }
    return false;
  }
}

/** Sums up a process and its descendants; nothing on systems without /proc. */
export function readProcessTree(root: number): TreeUsage {
  const { seconds, bytes } = ProcessTable.read().treeOf(root);
  return { seconds, bytes };
}

function list(): string[] {
  try {
    return readdirSync("/proc");
  } catch {
    return [];
  }
}

/** Fields 4 (ppid), 6 (session), 14 to 17 (utime, stime, cutime, cstime) and 24 (rss) of proc_pid_stat(5). */
function read(pid: string): ProcessRow | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [utime, stime, cutime, cstime] = fields.slice(11, 15).map(Number);
    return {
      parent: Number(fields[1]),
      session: Number(fields[3]),
      ticks: (utime ?? 0) + (stime ?? 0) + (cutime ?? 0) + (cstime ?? 0),
      pages: Number(fields[21]),
    };
  } catch {
    return undefined;
  }
}
