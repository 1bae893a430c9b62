import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { isBeneath, type PathWalk } from "./path-walk.ts";

/** A folder in which a sandboxed server can put links. */
export interface WritableFolder {
  /** Undefined for one that could write there before the configuration changed. */
  readonly server?: string;
  /** Real path. */
  readonly path: string;
}

/** In the state folder. */
export const writableFoldersFile = "sandbox-folders.json";
/** Earlier folders that are remembered; the oldest is forgotten first. */
const maxRemembered = 1000;

/**
 * Folders that sandboxed servers can write to now, and those they could write to before: a link that a server has put
 * somewhere is still there when the configuration changes. The latter are kept in the state folder.
 */
export class WritableFolders {
  readonly #file: string | undefined;
  readonly #running = new Map<object, readonly WritableFolder[]>();
  #configured: readonly WritableFolder[] = [];
  #remembered: readonly string[] = [];

  /** Without a state folder the memory ends with the process. */
  constructor(stateDirectory?: string) {
    this.#file = stateDirectory && join(stateDirectory, writableFoldersFile);
    this.#remembered = this.#file === undefined ? [] : read(this.#file);
  }

  /** Takes over what a new configuration lets servers write to. */
  configure(folders: readonly WritableFolder[]): void {
    this.#configured = folders;
    this.#remember(folders);
  }

  /** A process runs that can write to these. */
  started(process: object, folders: readonly WritableFolder[]): void {
    if (folders.length === 0) return;
    this.#running.set(process, folders);
    this.#remember(folders);
  }

  ended(process: object): void {
    this.#running.delete(process);
  }

  /** The folder whose server could make this path lead elsewhere: it can replace an entry on the way, or has put a link there before. */
  turning({ entries }: PathWalk): WritableFolder | undefined {
    const now = [...this.#configured, ...[...this.#running.values()].flat()];
    for (const { path, link } of entries) {
      const folder = now.find((one) => isBeneath(one.path, path));
      if (folder !== undefined) return folder;
      const before = link ? this.#remembered.find((one) => isBeneath(one, path)) : undefined;
      if (before !== undefined) return { path: before };
    }
    return undefined;
  }

  #remember(folders: readonly WritableFolder[]): void {
    const fresh = folders.map(({ path }) => path).filter((path) => !this.#remembered.includes(path));
    if (fresh.length === 0) return;
    const kept = this.#remembered.filter((path) => existsSync(path));
    this.#remembered = [...new Set([...kept, ...fresh])].slice(-maxRemembered);
    if (this.#file === undefined) return;
    // Workers read the same configuration at the same time.
    const temporary = `${this.#file}.${process.pid}`;
    mkdirSync(dirname(this.#file), { recursive: true, mode: 0o700 });
    writeFileSync(temporary, JSON.stringify(this.#remembered), { mode: 0o600 });
    renameSync(temporary, this.#file);
  }
}

/** A file that was cut short says nothing. */
function read(file: string): string[] {
  try {
    const found: unknown = JSON.parse(readFileSync(file, "utf8"));
    return Array.isArray(found) ? found.filter((one) => typeof one === "string").slice(-maxRemembered) : [];
  } catch {
    return [];
  }
}
