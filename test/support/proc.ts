import { open, readdir, readFile, readlink } from "node:fs/promises";

/** Largest piece of memory that is looked at in one go. */
const pieceBytes = 1 << 22;

/** What a process of this machine was started with; empty for one that has just ended, and for the kernel's own. */
async function textOf(pid: number, file: "cmdline" | "environ"): Promise<string> {
  return (await readFile(`/proc/${pid}/${file}`, "utf8").catch(() => "")).replaceAll("\0", "\n");
}

const allPids = async (): Promise<readonly number[]> =>
  (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);

/** The command lines of all processes, by `/proc/<pid>/cmdline`. */
export async function commandLines(): Promise<readonly string[]> {
  const lines = await Promise.all((await allPids()).map((pid) => textOf(pid, "cmdline")));
  return lines.filter((line) => line !== "");
}

/** The environment that a process was started with, by `/proc/<pid>/environ`. */
export const environmentOf = (pid: number): Promise<string> => textOf(pid, "environ");

/** Does a process work in this folder? */
export async function isWorkedIn(folder: string): Promise<boolean> {
  const folders = await Promise.all((await allPids()).map((pid) => readlink(`/proc/${pid}/cwd`).catch(() => "")));
  return folders.includes(folder);
}

/** Every process that descends from another one. */
export async function descendantsOf(ancestor: number): Promise<readonly number[]> {
  const parents = new Map<number, number>();
  for (const pid of await allPids()) {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
    parents.set(pid, Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]));
  }
  const descends = (pid: number): boolean => {
    const parent = parents.get(pid);
    return parent !== undefined && parent > 1 && (parent === ancestor || descends(parent));
  };
  return [...parents.keys()].filter(descends);
}

/**
 * Which words are in the memory of a process that runs, as its core would have them: all that it may write to, as bytes of
 * UTF-8 and of UTF-16. Rejects when the kernel does not let this process look.
 */
export async function wordsInMemory(pid: number, words: readonly string[]): Promise<readonly string[]> {
  const wanted = words.map((word) => [word, Buffer.from(word, "utf8"), Buffer.from(word, "utf16le")] as const);
  const overlap = Math.max(...wanted.map(([, , wide]) => wide.length));
  const found = new Set<string>();
  const memory = await open(`/proc/${pid}/mem`, "r");
  const piece = Buffer.alloc(pieceBytes);
  try {
    for (const line of (await readFile(`/proc/${pid}/maps`, "utf8")).split("\n")) {
      const [, from, to] = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line) ?? [];
      if (from === undefined || to === undefined) continue;
      const end = Number.parseInt(to, 16);
      for (let at = Number.parseInt(from, 16); at < end; at += pieceBytes - overlap) {
        // Of a part that has gone meanwhile nothing is read.
        const { bytesRead } = await memory
          .read(piece, 0, Math.min(pieceBytes, end - at), at)
          .catch(() => ({ bytesRead: 0 }));
        const seen = piece.subarray(0, bytesRead);
        for (const [word, narrow, wide] of wanted) if (seen.includes(narrow) || seen.includes(wide)) found.add(word);
      }
    }
  } finally {
    await memory.close();
  }
  return words.filter((word) => found.has(word));
}
