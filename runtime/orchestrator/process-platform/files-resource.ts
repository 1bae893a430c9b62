import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { PlatformResponse } from "../../config/schema/index.ts";
import { messageOf } from "../../errors.ts";
import type { PlatformResource } from "./operations.ts";

/** Files of one folder, by name. */
export interface FilesInputs {
  readonly folder: string;
  readonly files: Readonly<Record<string, string>>;
}

type Response = PlatformResponse<FilesInputs>;

/** Files that something else of this machine reads: configurations for a Prometheus, an Alertmanager. */
export class FilesResource implements PlatformResource<FilesInputs, FilesInputs> {
  async check({ folder, files }: FilesInputs): Promise<Response> {
    const failures = Object.keys(files)
      .filter((name) => name !== basename(name) || name.startsWith("."))
      .map((name) => ({
        property: "files",
        reason: `"${name}" is not a plain name of a file; give one without a path`,
      }));
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
    } catch (error) {
      failures.push({ property: "folder", reason: `${messageOf(error)}; give a folder that can be written to` });
    }
    return { ok: true, failures };
  }

  async diff(inputs: FilesInputs, olds: FilesInputs): Promise<Response> {
    const replaces = inputs.folder === olds.folder ? [] : ["folder"];
    const changes = replaces.length > 0 || !isDeepStrictEqual(inputs.files, this.#written(olds));
    return { ok: true, changes, replaces };
  }

  async create({ folder, files }: FilesInputs): Promise<Response> {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    // Others on this machine need not read tokens of receivers.
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text, { mode: 0o600 });
    return { ok: true, id: folder, outs: { folder, files } };
  }

  async update(inputs: FilesInputs, olds: FilesInputs): Promise<Response> {
    for (const name of Object.keys(olds.files))
      if (!(name in inputs.files)) rmSync(join(olds.folder, name), { force: true });
    return this.create(inputs);
  }

  async delete({ folder, files }: FilesInputs): Promise<Response> {
    for (const name of Object.keys(files)) rmSync(join(folder, name), { force: true });
    if (existsSync(folder) && readdirSync(folder).length === 0) rmdirSync(folder);
    return { ok: true };
  }

  async read(olds: FilesInputs): Promise<Response> {
    const files = this.#written(olds);
    if (Object.keys(files).length === 0) return { ok: true };
    return { ok: true, id: olds.folder, outs: { ...olds, files } };
  }

  #written({ folder, files }: FilesInputs): Record<string, string> {
    const there = Object.keys(files).filter((name) => existsSync(join(folder, name)));
    return Object.fromEntries(there.map((name) => [name, readFileSync(join(folder, name), "utf8")]));
  }
}
