import { randomBytes } from "node:crypto";
import { readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** `20261128-144822123-3fa9-audit.log`: in the order of time, and of one process alone. */
const rotatedName = /^\d{8}-\d{4,9}-[0-9a-f]+-/;

/**
 * Moves a full file away and drops the oldest ones beyond `maxFiles`. Several processes may do it at once: a name is used once, so
 * that at worst a small file is kept. Resolves with false when the file cannot be moved; it then grows on, and nothing is lost.
 */
export async function rotate(path: string, maxFiles: number, now: number): Promise<boolean> {
  const folder = dirname(path);
  const name = basename(path);
  const time = new Date(now)
    .toISOString()
    .replace(/[-:.Z]/g, "")
    .replace("T", "-");
  try {
    await rename(path, join(folder, `${time}-${randomBytes(4).toString("hex")}-${name}`));
  } catch (error) {
    // Another process has just done it.
    return (error as NodeJS.ErrnoException).code === "ENOENT";
  }
  const rotated = (await readdir(folder).catch(() => []))
    .filter(
      (file) => file.endsWith(`-${name}`) && rotatedName.test(file) && rotatedName.exec(file)?.[0] + name === file,
    )
    .sort();
  for (const file of rotated.slice(0, Math.max(rotated.length - maxFiles, 0))) {
    await rm(join(folder, file), { force: true }).catch(() => {});
  }
  return true;
}
