import { readdir, readFile } from "node:fs/promises";
import { identify, isAlive, type ProcessIdentity, sendSignal } from "./process-identity.ts";

/** How long is waited until they have ended for good. */
const patience = { everyMs: 10, times: 50 };

/**
 * Ends processes that a server has left behind: those that were seen below it, and those whose environment names its
 * temporary folder, which every process gets from its parent. A process that leaves both its session and its environment
 * is found only while its parent lives. Resolves with those that there were; none on systems without /proc.
 */
export async function endStrays(folder: string, seen: readonly ProcessIdentity[] = []): Promise<ProcessIdentity[]> {
  const names = (await readdir("/proc").catch(() => [])).filter((name) => /^\d+$/.test(name));
  const named = await Promise.all(names.map((name) => isOf(Number(name), folder)));
  const pids = new Set(names.map(Number).filter((_pid, index) => named[index]));
  for (const one of seen) if (isAlive(one)) pids.add(one.pid);
  pids.delete(process.pid);
  const strays = [...pids].flatMap((pid) => identify(pid) ?? []).filter(({ pid }) => sendSignal(pid, "SIGKILL"));
  for (let time = 0; time < patience.times && strays.some(isAlive); time += 1) {
    await new Promise((resolve) => setTimeout(resolve, patience.everyMs));
  }
  return strays;
}

async function isOf(pid: number, folder: string): Promise<boolean> {
  const environment = await readFile(`/proc/${pid}/environ`, "latin1").catch(() => "");
  return `\0${environment}`.includes(`\0TMPDIR=${folder}\0`);
}
