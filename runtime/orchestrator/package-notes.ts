import { mkdir, readdir, rm, stat, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import envPaths from "env-paths";

/** Digests of one package that are kept; the oldest goes first. Each cache on a machine can have another one. */
const maxDigests = 16;

/** Where digests are kept by default: `$MCP_FLEET_PACKAGE_NOTES`, else the user's folder for data. */
export function notesFolder(): string {
  const { data } = envPaths("mcp-fleet", { suffix: "" });
  return resolve(process.env.MCP_FLEET_PACKAGE_NOTES ?? join(data, "packages"));
}

/**
 * Digests of what was installed, kept outside of the cache: one empty file for each, so that two processes that install at
 * the same time lose none.
 */
export class PackageNotes {
  readonly #folder: string;
  readonly #own = new Map<string, string>();

  constructor(folder: string = notesFolder()) {
    this.#folder = folder;
  }

  /** What was noted when a package was installed; empty when nothing was. */
  async digests(key: string): Promise<readonly string[]> {
    const own = this.#own.get(key);
    const names = await readdir(join(this.#folder, key)).catch((): string[] => []);
    return own === undefined || names.includes(own) ? names : [...names, own];
  }

  /** Notes a digest. Where the folder cannot be written to, it is known to this process alone. */
  async add(key: string, digest: string): Promise<void> {
    this.#own.set(key, digest);
    const place = join(this.#folder, key);
    try {
      await mkdir(place, { recursive: true, mode: 0o700 });
      await writeFile(join(place, digest), "", { mode: 0o600 });
      const names = await readdir(place);
      if (names.length <= maxDigests) return;
      const aged = await Promise.all(
        names.map(async (name) => ({ name, at: (await stat(join(place, name))).mtimeMs })),
      );
      aged.sort((a, b) => b.at - a.at);
      for (const { name } of aged.slice(maxDigests)) await rm(join(place, name), { force: true });
    } catch {
      // A container without a home: its packages are root's, or installed again by the next process.
    }
  }
}
