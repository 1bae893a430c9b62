import { execFile } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
import { chmod, lstat, mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import envPaths from "env-paths";
import type { Logger } from "pino";
import { FleetError, messageOf } from "../errors.ts";
import { findCommand } from "./find-command.ts";
import { PackageNotes } from "./package-notes.ts";
import { PackageTree, whyOpen } from "./package-tree.ts";
import { isBeneath } from "./path-walk.ts";

export interface PackageCacheOptions {
  readonly log: Logger;
  /** Defaults to `$MCP_FLEET_CACHE`, else the user's cache folder. */
  readonly folder?: string | undefined;
  /** Where digests of what was installed are kept. Defaults to `$MCP_FLEET_PACKAGE_NOTES`, else the user's folder for data. */
  readonly notes?: string | undefined;
  /** Other users of this machine run what is in it. Defaults to false. */
  readonly shared?: boolean;
  /** Monotonic time in milliseconds. */
  readonly now?: () => number;
}

interface Found {
  readonly stamp: string;
  readonly at: number;
  readonly installed: InstalledPackage;
}

/** An installed package. */
export interface InstalledPackage {
  readonly folder: string;
  /** The folder with it and everything that it needs. */
  readonly root: string;
  /** Absolute path of the JavaScript file behind one of its commands. */
  bin(name: string): string;
}

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly bin?: string | Readonly<Record<string, string>>;
}

/** A look at thousands of files takes a tenth of a second: servers that start at the same time share it. */
const trustedMs = 5000;
const installTimeoutMs = 10 * 60_000;

/** A version that names one release; others, such as an archive's address, are not those of the manifest. */
const exactVersion = /^\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.+-]+)?$/;

/**
 * npm packages of servers, each version installed once and used from there: nothing is looked up or downloaded when an
 * instance starts. Installed beside and moved into place, so that a half install is never used and two processes agree.
 * What is run is what was installed: its digest is noted elsewhere, and compared before a server starts. A folder of which
 * nothing is noted is not run but replaced, unless it is root's and this process is not root, as in an image.
 */
export class PackageCache {
  readonly #folder: string;
  readonly #log: Logger;
  readonly #shared: boolean;
  readonly #notes: PackageNotes;
  readonly #installing = new Map<string, Promise<InstalledPackage>>();
  /** By place: what it was when it was last found right. One for each package in use. */
  readonly #found = new Map<string, Found>();
  readonly #now: () => number;

  constructor({ log, folder, notes, shared = false, now = () => performance.now() }: PackageCacheOptions) {
    this.#log = log;
    this.#now = now;
    this.#shared = shared;
    this.#notes = new PackageNotes(notes);
    // npm runs elsewhere, so a relative path would be another one there.
    this.#folder = packageFolder(folder);
  }

  /** The package, installed if need be. Rejects with PACKAGE_NOT_INSTALLED, or with PACKAGE_CHANGED when what is there is not what was installed. */
  ensure(name: string, version: string, onProgress: (line: string) => void = () => {}): Promise<InstalledPackage> {
    const key = `${name}@${version}`;
    let installing = this.#installing.get(key);
    if (installing === undefined) {
      installing = this.#ensure(name, version, onProgress).finally(() => this.#installing.delete(key));
      this.#installing.set(key, installing);
    }
    return installing;
  }

  /** Is it there already? Rejects with PACKAGE_CHANGED when what is there is not what was installed. */
  async has(name: string, version: string): Promise<boolean> {
    return (await this.#load(name, version)) !== undefined;
  }

  async #ensure(name: string, version: string, onProgress: (line: string) => void): Promise<InstalledPackage> {
    const present = await this.#load(name, version);
    if (present !== undefined) return present;
    onProgress(`installing ${name}@${version}`);
    try {
      await this.#install(name, version, this.#place(name, version));
    } catch (error) {
      if (error instanceof FleetError) throw error;
      const fix = "check the version, and that npm reaches its registry";
      throw new FleetError(
        "PACKAGE_NOT_INSTALLED",
        `${name}@${version} cannot be installed: ${messageOf(error)}; ${fix}`,
        { cause: error },
      );
    }
    onProgress(`installed ${name}@${version}`);
    const installed = await this.#load(name, version);
    if (installed !== undefined) return installed;
    const fix = "try again";
    throw new FleetError("PACKAGE_NOT_INSTALLED", `${name}@${version} was taken away while it was installed; ${fix}`);
  }

  /** What is in its place, when that is what was installed; undefined when it is to be installed. */
  async #load(name: string, version: string): Promise<InstalledPackage | undefined> {
    const place = this.#place(name, version);
    const found = this.#found.get(place);
    if (found !== undefined && this.#now() - found.at < trustedMs) return found.installed;
    if ((await lstat(place).catch(() => undefined)) === undefined) return undefined;
    const open = await whyOpen(this.#folder);
    if (open !== undefined) throw changed(name, version, this.#folder, open, "choose another folder (MCP_FLEET_CACHE)");
    const tree = await PackageTree.read(place).catch((error) => {
      // Another process moves its installation there.
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw changed(name, version, place, messageOf(error));
    });
    if (tree === undefined) return undefined;
    const { stamp } = tree;
    if (found?.stamp !== stamp) {
      const known = await this.#notes.digests(basename(place));
      if (known.length === 0 && !tree.isFixed) {
        this.#log.warn({ place }, "nothing is noted of this package: it is installed again");
        return undefined;
      }
      if (!tree.isFixed && !known.includes(await tree.digest()))
        throw changed(name, version, place, "it is not what was installed");
      const flaw = await tree.flaw();
      if (flaw !== undefined) throw changed(name, version, place, flaw);
    }
    const installed = await readPackage(place, name, version);
    if (typeof installed === "string") throw changed(name, version, place, installed);
    this.#found.set(place, { stamp, at: this.#now(), installed });
    return installed;
  }

  async #install(name: string, version: string, place: string): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o755 });
    // Its mode depends on the umask.
    if ((await lstat(this.#folder)).uid === process.getuid?.()) await chmod(this.#folder, 0o755);
    const open = await whyOpen(this.#folder);
    if (open !== undefined) throw changed(name, version, this.#folder, open, "choose another folder (MCP_FLEET_CACHE)");
    const temporary = await mkdtemp(`${place}.new-`);
    try {
      const { command, args } = npm();
      // No scripts: a server must not run code, nor download a browser, while it is installed.
      const flags = [
        "install",
        "--prefix",
        temporary,
        "--no-audit",
        "--no-fund",
        "--ignore-scripts",
        "--loglevel=error",
      ];
      await run(command, [...args, ...flags, `${name}@${version}`], temporary);
      const found = await readPackage(temporary, name, version);
      if (typeof found === "string") throw new Error(`what npm has installed is not that package: ${found}`);
      if (this.#shared) await chmod(temporary, 0o755);
      const tree = await PackageTree.read(temporary);
      await tree.protect();
      const flaw = await (await PackageTree.read(temporary)).flaw();
      if (flaw !== undefined) throw new Error(flaw);
      await this.#notes.add(basename(place), await tree.digest());
      await rename(temporary, place).catch(() => this.#replace(name, version, temporary));
    } catch (error) {
      await rm(temporary, { recursive: true, force: true });
      // Another process was faster: what it has put there serves as well.
      if (!(await this.#isThere(name, version))) throw error;
      this.#log.debug({ name, version }, "another process installed the package");
    }
  }

  /** Moves an installation to a place where something is already, unless that is as good. */
  async #replace(name: string, version: string, temporary: string): Promise<void> {
    const place = this.#place(name, version);
    if (await this.#isThere(name, version)) return rm(temporary, { recursive: true, force: true });
    const old = `${temporary}.old`;
    await rename(place, old);
    await rename(temporary, place);
    await rm(old, { recursive: true, force: true });
  }

  async #isThere(name: string, version: string): Promise<boolean> {
    return this.has(name, version).catch(() => false);
  }

  #place(name: string, version: string): string {
    return join(this.#folder, `${name.replace("@", "").replace("/", "__")}@${encodeURIComponent(version)}`);
  }
}

/** Where packages are, given the cache folder. */
export function packageFolder(cache?: string): string {
  return resolve(cache ?? process.env.MCP_FLEET_CACHE ?? envPaths("mcp-fleet", { suffix: "" }).cache, "packages");
}

/** npm of the running Node.js, else the one on PATH. */
function npm(): { command: string; args: string[] } {
  const beside = join(dirname(process.execPath), "..", "lib", "node_modules", "npm", "bin", "npm-cli.js");
  if (existsSync(beside)) return { command: process.execPath, args: [beside] };
  const command = findCommand("npm", process.env.PATH ?? "", process.cwd());
  if (command === undefined) throw new Error("npm is not on PATH; install it with Node.js");
  return { command, args: [] };
}

function run(command: string, args: string[], cwd: string): Promise<void> {
  return new Promise((resolve, reject) => {
    // npm would leave a cache of its compiled code among the temporary files.
    const env = { ...process.env, NODE_DISABLE_COMPILE_CACHE: "1" };
    execFile(command, args, { cwd, env, timeout: installTimeoutMs, maxBuffer: 1 << 24 }, (error, _stdout, stderr) => {
      const reason = stderr
        .split("\n")
        .filter((line) => line.startsWith("npm error") && !line.includes("complete log"));
      if (error === null) resolve();
      else
        reject(
          new Error(
            reason
              .slice(0, 3)
              .map((line) => line.replace("npm error ", ""))
              .join(" ") || error.message,
          ),
        );
    });
  });
}

/** PACKAGE_CHANGED: what lies there is not run. */
function changed(name: string, version: string, place: string, why: string, fix = "delete the folder"): FleetError {
  return new FleetError("PACKAGE_CHANGED", `${name}@${version} is not run from ${place}: ${why}; ${fix}`);
}

/** The package in a folder, or why it is not the one that is wanted. */
async function readPackage(place: string, name: string, version: string): Promise<InstalledPackage | string> {
  const folder = join(place, "node_modules", name);
  let manifest: Manifest;
  try {
    manifest = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
  } catch {
    return `it holds no package of the name ${name}`;
  }
  if (manifest.name !== name) return `its package.json is that of ${JSON.stringify(manifest.name)}`;
  if (exactVersion.test(version) && manifest.version !== version)
    return `its package.json is that of version ${JSON.stringify(manifest.version)}`;
  return { folder, root: place, bin: (command) => fileOf(folder, manifest, command) };
}

/** The file behind a command of a package, which is within it. Throws PACKAGE_NOT_INSTALLED or PACKAGE_CHANGED. */
function fileOf(folder: string, { name, version, bin }: Manifest, command: string): string {
  const file = typeof bin === "string" ? bin : Object.entries(bin ?? {}).find(([one]) => one === command)?.[1];
  if (file === undefined) {
    const text = `${name}@${version} has no command "${command}"; choose another version`;
    throw new FleetError("PACKAGE_NOT_INSTALLED", text);
  }
  const path = join(folder, file);
  if (existsSync(path) && isBeneath(realpathSync(folder), realpathSync(path))) return path;
  throw changed(name, version, folder, `its command "${command}" is ${file}, which is no file of the package`);
}
