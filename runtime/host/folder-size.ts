import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";

/** Something empty takes an entry too. */
const leastBytes = 4096;

/** Bytes that a folder and all in it take on disk, until there are more than `enough`. Links are not followed; what cannot be read counts nothing. */
export async function folderBytes(folder: string, enough: number): Promise<number> {
  const seen = new Set<number>();
  const folders = [folder];
  let bytes = 0;
  for (const at of folders) {
    for (const name of await readdir(at).catch(() => [])) {
      const path = join(at, name);
      const found = await lstat(path).catch(() => undefined);
      if (found === undefined) continue;
      if (found.isDirectory()) folders.push(path);
      // A file of several names is there once.
      else if (found.nlink > 1) {
        if (seen.has(found.ino)) continue;
        seen.add(found.ino);
      }
      bytes += Math.max(leastBytes, found.blocks * 512);
      if (bytes > enough) return bytes;
    }
  }
  return bytes;
}
