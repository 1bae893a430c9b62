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
  readonly members: readonly ProcessTimes[];
}

/** CPU times of a process. */
export interface ProcessTimes {
  readonly pid: number;
  readonly parent: number;
  /** Tells it from another one that got the same pid later. */
  readonly startedAt: string;
  /** Its own, in seconds. */
  readonly own: number;
  /** Of children that have ended and that it has waited for. */
  readonly children: number;
}

interface ProcessRow extends ProcessTimes {
  readonly session: number;
  readonly pages: number;
}

// proc(5) gives times in ticks of USER_HZ, which is 100 on every Linux that Node.js runs on, and memory in pages.
const ticksPerSecond = 100;
const pageBytes = 4096;
const none: ReadonlyMap<number, string> = new Map();

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
      if (row !== undefined) rows.set(row.pid, row);
    }
    return new ProcessTable(rows);
  }

  /**
   * A process, its descendants, and what stays in the session that it leads when its own parent has gone. `known` are
   * processes that were seen in the tree before, by pid with their start: they belong to it wherever they are now.
   */
  treeOf(root: number, known = none): ProcessTree {
    let [seconds, bytes] = [0, 0];
    const members: ProcessTimes[] = [];
    for (const [pid, row] of this.#rows) {
      if (row.session !== root && !this.#descends(pid, root, known)) continue;
      members.push(row);
      seconds += row.own + row.children;
      bytes += row.pages * pageBytes;
    }
    return { seconds, bytes, members, pids: members.map(({ pid }) => pid) };
  }

  #descends(pid: number, root: number, known: ReadonlyMap<number, string>): boolean {
    let at: number | undefined = pid;
    for (let depth = 0; at !== undefined && depth < this.#rows.size; depth += 1) {
      const row = this.#rows.get(at);
      if (at === root || (row !== undefined && known.get(at) === row.startedAt)) return true;
      at = row?.parent;
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

/** Fields 4 (ppid), 6 (session), 14 to 17 (utime, stime, cutime, cstime), 22 (starttime) and 24 (rss) of proc_pid_stat(5). */
function read(pid: string): ProcessRow | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [utime = 0, stime = 0, cutime = 0, cstime = 0] = fields.slice(11, 15).map(Number);
    return {
      pid: Number(pid),
      parent: Number(fields[1]),
      session: Number(fields[3]),
      own: (utime + stime) / ticksPerSecond,
      children: (cutime + cstime) / ticksPerSecond,
      startedAt: fields[19] as string,
      pages: Number(fields[21]),
    };
  } catch {
    return undefined;
  }
}
