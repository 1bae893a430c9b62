import { readdir, readFile } from "node:fs/promises";
import { identify, isAlive, type ProcessIdentity, sendSignal } from "./process-identity.ts";

/**
 * Ends processes that a server has left behind: those that were seen below it, and those whose environment names its
 * temporary folder, which every process gets from its parent. A process that leaves both its session and its environment
 * is found only while its parent lives. Returns how many there were. None on systems without /proc.
 */
export async function endStrays(folder: string, seen: readonly ProcessIdentity[] = []): Promise<number> {
  const names = (await readdir("/proc").catch(() => [])).filter((name) => /^\d+$/.test(name));
  const named = await Promise.all(names.map((name) => isOf(Number(name), folder)));
  const pids = new Set(names.map(Number).filter((_pid, index) => named[index]));
  for (const one of seen) if (isAlive(one)) pids.add(one.pid);
  pids.delete(process.pid);
  let ended = 0;
  for (const pid of pids) if (identify(pid) !== undefined && sendSignal(pid, "SIGKILL")) ended += 1;
  return ended;
}

async function isOf(pid: number, folder: string): Promise<boolean> {
  const environment = await readFile(`/proc/${pid}/environ`, "latin1").catch(() => "");
  return `\0${environment}`.includes(`\0TMPDIR=${folder}\0`);
}
