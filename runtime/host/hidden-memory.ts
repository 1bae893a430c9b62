import { readdirSync, readFileSync, readlinkSync, statfsSync, statSync } from "node:fs";

/** Type of a file system in memory (statfs(2), TMPFS_MAGIC). */
const tmpfs = 0x01021994;

/**
 * Bytes in files without a name in memory (memfd_create(2)) that these processes have open. Each file counts once. Pages
 * that a process has mapped are in its resident memory as well: as many are left out.
 */
export function anonymousFileBytes(pids: readonly number[]): number {
  const files = new Map<number, number>();
  let mapped = 0;
  for (const pid of pids) {
    const before = files.size;
    for (const fd of list(`/proc/${pid}/fd`)) {
      const path = `/proc/${pid}/fd/${fd}`;
      const file = attempt(() => (readlinkSync(path).startsWith("/memfd:") ? statSync(path) : undefined));
      if (file !== undefined) files.set(file.ino, file.blocks * 512);
    }
    if (files.size > before) mapped += sharedBytes(pid);
  }
  let bytes = 0;
  for (const size of files.values()) bytes += size;
  return Math.max(0, bytes - mapped);
}

/** Bytes in the file systems in memory that a sandbox has at these places; nothing outside of one. */
export function temporaryBytes(pids: readonly number[], places: readonly string[]): number {
  const own = attempt(() => readlinkSync("/proc/self/ns/mnt"));
  const inside = pids.find((pid) => {
    const mounts = attempt(() => readlinkSync(`/proc/${pid}/ns/mnt`));
    return mounts !== undefined && mounts !== own;
  });
  if (inside === undefined) return 0;
  let bytes = 0;
  for (const place of places) {
    const found = attempt(() => statfsSync(`/proc/${inside}/root${place}`));
    if (found?.type === tmpfs) bytes += (found.blocks - found.bfree) * found.bsize;
  }
  return bytes;
}

/** RssShmem of proc_pid_status(5). */
function sharedBytes(pid: number): number {
  const status = attempt(() => readFileSync(`/proc/${pid}/status`, "utf8")) ?? "";
  return Number(/^RssShmem:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}

const list = (folder: string): string[] => attempt(() => readdirSync(folder)) ?? [];

/** A process can end at any moment. */
function attempt<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch {
    return undefined;
  }
}
