import { readdirSync, readFileSync } from "node:fs";

/** O_CLOEXEC as /proc shows it (proc_pid_fdinfo(5)). */
const closedOnExec = 0o2000000;

/**
 * Descriptors above 2 that this process has got from the one that started it, and that would stay open in what it starts
 * itself. Node.js closes those that it opens, and the first few of the others. None on systems without /proc.
 */
export function inheritedDescriptors(): number[] {
  try {
    return readdirSync("/proc/self/fd")
      .map(Number)
      .filter((fd) => fd > 2 && staysOpen(fd));
  } catch {
    return [];
  }
}

function staysOpen(fd: number): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"))?.[1] ?? "0";
    return (Number.parseInt(flags, 8) & closedOnExec) === 0;
  } catch {
    // It was closed meanwhile, such as the one with which the folder was read.
    return false;
  }
}
