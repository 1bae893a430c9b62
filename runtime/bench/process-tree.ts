import { readdirSync, readFileSync } from "node:fs";

/** Linux counts CPU time in ticks of so many microseconds (`getconf CLK_TCK` is 100 on every platform of Node.js). */
const tickUs = 10_000;

/** What processes and their descendants have used, from /proc (Linux; proc(5)). */
export interface Usage {
  /** User and system time in microseconds, of what lives now. */
  readonly cpuUs: number;
  /** Resident memory in kilobytes. */
  readonly rssKb: number;
}

/** The usage of these processes and all below them; what has ended counts nothing. */
export function usageOf(pids: readonly number[]): Usage {
  let cpuUs = 0;
  let rssKb = 0;
  for (const pid of treeOf(pids)) {
    const fields = statOf(pid);
    if (fields === undefined) continue;
    cpuUs += (Number(fields[11]) + Number(fields[12])) * tickUs;
    rssKb += Number(/^VmRSS:\s+(\d+)/m.exec(textOf(`/proc/${pid}/status`) ?? "")?.[1] ?? 0);
  }
  return { cpuUs, rssKb };
}

/** These processes and all below them. */
export function treeOf(pids: readonly number[]): readonly number[] {
  if (pids.length === 0) return [];
  const children = new Map<number, number[]>();
  for (const name of readdirSync("/proc")) {
    const pid = Number(name);
    const parent = Number.isInteger(pid) ? Number(statOf(pid)?.[1]) : Number.NaN;
    if (Number.isInteger(parent)) children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const found = new Set(pids);
  for (const pid of found) for (const child of children.get(pid) ?? []) found.add(child);
  return [...found];
}

/** The fields of /proc/<pid>/stat after the command's name, which may hold anything. */
function statOf(pid: number): readonly string[] | undefined {
  const text = textOf(`/proc/${pid}/stat`);
  return text?.slice(text.lastIndexOf(")") + 2).split(" ");
}

/** Undefined when the process has ended meanwhile. */
function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
