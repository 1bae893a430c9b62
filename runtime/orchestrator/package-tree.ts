import { createHash, type Hash } from "node:crypto";
import { accessSync, constants } from "node:fs";
import { chmod, lstat, readdir, readFile, readlink, realpath } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isWithin } from "./path-walk.ts";

/** Something in a folder of packages. */
interface Entry {
  /** Relative to the folder. */
  readonly path: string;
  readonly kind: "file" | "folder" | "link";
  readonly uid: number;
  readonly mode: number;
  /** Changes with every write, rename and change of mode, and cannot be set (inode(7), ctime). */
  readonly changed: bigint;
}

/** Writable by the group, or by others. */
const writableForOthers = 0o022;
const sticky = 0o1000;
const own = process.getuid?.() ?? 0;
const ownGroup = process.getgid?.() ?? 0;

/** A folder with an installed package and all that it needs. */
export class PackageTree {
  readonly folder: string;
  readonly #entries: readonly Entry[];

  private constructor(folder: string, entries: readonly Entry[]) {
    this.folder = folder;
    this.#entries = entries;
  }

  /** Reads names, owners and modes. Rejects when something is there that an installation does not make. */
  static async read(folder: string): Promise<PackageTree> {
    const entries = [await entryOf(folder, "")];
    for (const entry of entries) {
      if (entry.kind !== "folder") continue;
      const names = await readdir(join(folder, entry.path));
      entries.push(...(await Promise.all(names.map((name) => entryOf(folder, join(entry.path, name))))));
    }
    return new PackageTree(
      folder,
      entries.sort((a, b) => (a.path < b.path ? -1 : 1)),
    );
  }

  /** Belongs to root, and this process is not root or the disk is read-only: nobody that it runs can change anything. */
  get isFixed(): boolean {
    return (own !== 0 || isReadOnly(this.folder)) && this.#entries.every(({ uid }) => uid === 0);
  }

  /** The same text as long as nobody has touched anything. */
  get stamp(): string {
    return this.#entries.map(({ path, changed }) => `${path}:${changed}`).join("\n");
  }

  /** Why others than this user and root could change it, or it reaches out of the folder; undefined when it is sound. */
  async flaw(): Promise<string | undefined> {
    for (const { path, kind, uid, mode } of this.#entries) {
      const where = join(this.folder, path);
      if (uid !== 0 && uid !== own) return `${where} belongs to user ${uid}`;
      if (kind !== "link" && (mode & writableForOthers) !== 0) return `${where} can be written to by other users`;
      if (kind !== "link") continue;
      const target = await realpath(where).catch(() => undefined);
      if (target === undefined || !isWithin(await realpath(this.folder), target)) return `${where} leads out of it`;
    }
    return undefined;
  }

  /** SHA-256 of every name, link and content. */
  async digest(): Promise<string> {
    const hash = createHash("sha256");
    for (const { path, kind } of this.#entries) {
      add(hash, kind, path);
      if (kind === "file") add(hash, await readFile(join(this.folder, path)));
      if (kind === "link") add(hash, await readlink(join(this.folder, path)));
    }
    return hash.digest("hex");
  }

  /** Takes away what lets files be changed by accident, and folders by others. */
  async protect(): Promise<void> {
    for (const { path, kind, mode } of this.#entries) {
      if (kind === "link") continue;
      const kept = mode & (kind === "file" ? ~0o222 : ~writableForOthers) & 0o777;
      if (kept !== (mode & 0o7777)) await chmod(join(this.folder, path), kept);
    }
  }
}

/** Why other users could put something else in place of a folder: one of those around it is theirs, or open to them. Undefined when they cannot. */
export async function whyOpen(folder: string): Promise<string | undefined> {
  for (let at = await realpath(folder); ; at = dirname(at)) {
    const { uid, gid, mode } = await lstat(at);
    if (uid !== 0 && uid !== own) return `${at} belongs to user ${uid}`;
    // In a folder with the sticky bit, such as /tmp, nobody replaces what is another's. A user's own group is the user.
    const open = mode & (gid === ownGroup && at !== folder ? 0o002 : writableForOthers);
    if (open !== 0 && (mode & sticky) === 0) return `${at} can be written to by other users`;
    if (at === "/") return undefined;
  }
}

/** Root passes every other check of access(2). */
function isReadOnly(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EROFS";
  }
}

async function entryOf(folder: string, path: string): Promise<Entry> {
  const where = join(folder, path);
  const found = await lstat(where, { bigint: true });
  const kind = found.isDirectory() ? "folder" : found.isSymbolicLink() ? "link" : found.isFile() ? "file" : undefined;
  if (kind === undefined) throw new Error(`${where} is neither a file, a folder nor a link`);
  return { path, kind, uid: Number(found.uid), mode: Number(found.mode), changed: found.ctimeNs };
}

/** Each part with its length, so that no two trees read alike. */
function add(hash: Hash, ...parts: (string | Buffer)[]): void {
  for (const part of parts) hash.update(`${Buffer.byteLength(part)}:`).update(part);
}
