import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";

/** Texts by their path in a folder. */
export type Texts = Readonly<Record<string, string>>;

/** Some files of a folder that others write in too: only those that are named are read, written and removed. */
export class UnitFolder {
  readonly #path: string;
  readonly #mode: number;
  readonly #folderMode: number;

  /** Units are for everybody to read; with `secret`, files and folder are the owner's. */
  constructor(path: string, { secret }: { readonly secret: boolean }) {
    this.#path = path;
    this.#mode = secret ? 0o600 : 0o644;
    this.#folderMode = secret ? 0o700 : 0o755;
  }

  /** Those of these files that are there. */
  read(names: readonly string[]): Texts {
    const there = names.filter((name) => existsSync(join(this.#path, name)));
    return Object.fromEntries(there.map((name) => [name, readFileSync(join(this.#path, name), "utf8")]));
  }

  /** Each file as a whole or not at all. */
  write(texts: Texts): void {
    for (const [name, text] of Object.entries(texts)) {
      const file = join(this.#path, name);
      mkdirSync(dirname(file), { recursive: true, mode: this.#folderMode });
      // A name that systemd takes for no unit and no drop-in.
      const temporary = `${file}.new`;
      writeFileSync(temporary, text, { mode: this.#mode });
      renameSync(temporary, file);
    }
  }

  /** Removes files, and the folders of theirs that nothing is left in. */
  remove(names: readonly string[]): void {
    for (const name of names) {
      const file = join(this.#path, name);
      rmSync(file, { force: true });
      if (name.includes("/")) removeEmpty(dirname(file));
    }
  }

  /** Removes the folder itself if nothing is left in it. */
  removeIfEmpty(): void {
    removeEmpty(this.#path);
  }
}

function removeEmpty(folder: string): void {
  if (existsSync(folder) && readdirSync(folder).length === 0) rmdirSync(folder);
}
