import {
  appendFileSync,
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { Logger } from "pino";
import { messageOf } from "../errors.ts";

export interface EndedSessionsOptions {
  /** The gateway's state folder; without one the key of sessions ends with the process, and they with it. */
  readonly stateDirectory: string | undefined;
  /** Do other processes of the gateway end sessions too? */
  readonly shared: boolean;
  /** Sessions older than this are not found anyway, in milliseconds. */
  readonly maxAgeMs: number;
  /** Ids that are kept, of some 40 bytes each; past it the one that was ended first is forgotten. Defaults to 50,000. */
  readonly max?: number | undefined;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly log: Pick<Logger, "warn">;
}

/** A few megabytes, and more ends than a day brings. */
const defaultMax = 50_000;
/** In the state folder. */
export const endedSessionsFolder = "ended-sessions";
const line = /^([\w-]{1,64}) (\d{1,15})$/;

/**
 * Sessions that their clients have ended, by the id inside the sealed one. A sealed id alone would bring its session back
 * after a restart, or at a worker that takes over from another, so the ends are kept in the state folder: a line each,
 * `<id> <expiry>`, appended to a file that only this process writes.
 */
export class EndedSessions {
  readonly #options: EndedSessionsOptions;
  readonly #folder: string | undefined;
  readonly #own = `${process.pid}.txt`;
  readonly #max: number;
  /** Expiry by id, in the order in which they came. */
  readonly #ended = new Map<string, number>();
  /** How far each file has been read. */
  readonly #read = new Map<string, { readonly inode: number; readonly bytes: number }>();
  /** Of the own file, which is written again when it has twice as many as ids are kept. */
  #lines = 0;

  constructor(options: EndedSessionsOptions) {
    const { stateDirectory, max = defaultMax } = options;
    this.#options = options;
    this.#max = max;
    this.#folder = stateDirectory === undefined ? undefined : join(stateDirectory, endedSessionsFolder);
    if (this.#folder === undefined) return;
    this.#try(`${this.#folder} cannot be made`, () =>
      mkdirSync(this.#folder as string, { recursive: true, mode: 0o700 }),
    );
    this.#refresh(this.#folder);
  }

  get size(): number {
    return this.#ended.size;
  }

  /** The session has been ended for good. */
  add(id: string): void {
    const expiry = this.#options.clock() + this.#options.maxAgeMs;
    this.#keep(id, expiry);
    const folder = this.#folder;
    if (folder === undefined) return;
    const path = join(folder, this.#own);
    this.#try(`${path} cannot be written`, () => {
      this.#lines += 1;
      if (this.#lines > 2 * this.#max) this.#rewrite(path);
      else appendFileSync(path, `${id} ${expiry}\n`, { mode: 0o600 });
    });
  }

  /** Has it been ended, here or at another worker? Asked when an id is seen that is not in memory. */
  has(id: string): boolean {
    if (this.#ended.has(id)) return true;
    if (this.#folder === undefined || !this.#options.shared) return false;
    this.#refresh(this.#folder);
    return this.#ended.has(id);
  }

  /** Reads what others have written since. */
  #refresh(folder: string): void {
    this.#try(`${folder} cannot be read`, () => {
      for (const name of readdirSync(folder)) {
        if (name.endsWith(".txt") && !(name === this.#own && this.#read.has(name))) this.#readFile(folder, name);
      }
    });
  }

  #readFile(folder: string, name: string): void {
    const path = join(folder, name);
    const { size, ino: inode } = statSync(path);
    const before = this.#read.get(name);
    const from = before?.inode === inode && before.bytes <= size ? before.bytes : 0;
    if (before !== undefined && from === size) return;
    const text = textFrom(path, from, size);
    // A line that was cut off by a crash is no line; one that is just being written is read the next time.
    const lines = text.slice(0, text.lastIndexOf("\n") + 1).split("\n");
    this.#read.set(name, { inode, bytes: from + text.lastIndexOf("\n") + 1 });
    const now = this.#options.clock();
    let alive = 0;
    for (const written of lines) {
      const [, id, expiry] = line.exec(written) ?? [];
      if (id === undefined || Number(expiry) <= now) continue;
      alive += 1;
      this.#keep(id, Number(expiry));
    }
    if (name === this.#own) this.#lines = lines.length;
    // What a process that has gone left behind goes when it says nothing any more.
    else if (alive === 0 && from === 0) rmSync(path, { force: true });
  }

  #keep(id: string, expiry: number): void {
    this.#ended.set(id, expiry);
    const now = this.#options.clock();
    for (const [oldest, until] of this.#ended) {
      if (until > now && this.#ended.size <= this.#max) return;
      this.#ended.delete(oldest);
    }
  }

  /** Puts what still counts in the place of the file: nobody reads half of it. */
  #rewrite(path: string): void {
    const text = [...this.#ended].map(([id, expiry]) => `${id} ${expiry}\n`).join("");
    writeFileSync(`${path}.new`, text, { mode: 0o600 });
    renameSync(`${path}.new`, path);
    this.#lines = this.#ended.size;
  }

  /** A folder that fails costs no session its end in this process. */
  #try(problem: string, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#options.log.warn(`${problem} (${messageOf(error)}): ended sessions could come back after a restart`);
    }
  }
}

function textFrom(path: string, from: number, to: number): string {
  const bytes = Buffer.alloc(to - from);
  const file = openSync(path, "r");
  try {
    return bytes.toString("latin1", 0, readSync(file, bytes, 0, bytes.length, from));
  } finally {
    closeSync(file);
  }
}
