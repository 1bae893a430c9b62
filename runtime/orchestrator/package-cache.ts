import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import envPaths from "env-paths";
import type { Logger } from "pino";
import { FleetError, messageOf } from "../errors.ts";
import { findCommand } from "./find-command.ts";

export interface PackageCacheOptions {
  readonly log: Logger;
  /** Defaults to `$MCP_FLEET_CACHE`, else the user's cache folder. */
  readonly folder?: string | undefined;
  /** Other users of this machine run what is in it. Defaults to false. */
  readonly shared?: boolean;
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
  readonly version: string;
  readonly bin?: string | Readonly<Record<string, string>>;
}

const installTimeoutMs = 10 * 60_000;

/**
 * npm packages of servers, each version installed once and used from there: nothing is looked up or downloaded when an
 * instance starts. Installed beside and moved into place, so that a half install is never used and two processes agree.
 */
export class PackageCache {
  readonly #folder: string;
  readonly #log: Logger;
  readonly #shared: boolean;
  readonly #installing = new Map<string, Promise<InstalledPackage>>();

  constructor({ log, folder, shared = false }: PackageCacheOptions) {
    this.#log = log;
    this.#shared = shared;
    // npm runs elsewhere, so a relative path would be another one there.
    this.#folder = packageFolder(folder);
  }

  /** The package, installed if need be. Rejects with PACKAGE_NOT_INSTALLED. */
  ensure(name: string, version: string, onProgress: (line: string) => void = () => {}): Promise<InstalledPackage> {
    const key = `${name}@${version}`;
    let installing = this.#installing.get(key);
    if (installing === undefined) {
      installing = this.#ensure(name, version, onProgress).finally(() => this.#installing.delete(key));
      this.#installing.set(key, installing);
    }
    return installing;
  }

  /** Is it there already? */
  async has(name: string, version: string): Promise<boolean> {
    return (await load(this.#place(name, version), name)) !== undefined;
  }

  async #ensure(name: string, version: string, onProgress: (line: string) => void): Promise<InstalledPackage> {
    const place = this.#place(name, version);
    const present = await load(place, name);
    if (present !== undefined) return present;
    onProgress(`installing ${name}@${version}`);
    try {
      await this.#install(name, version, place);
    } catch (error) {
      const fix = "check the version, and that npm reaches its registry";
      throw new FleetError(
        "PACKAGE_NOT_INSTALLED",
        `${name}@${version} cannot be installed: ${messageOf(error)}; ${fix}`,
        { cause: error },
      );
    }
    onProgress(`installed ${name}@${version}`);
    return (await load(place, name)) as InstalledPackage;
  }

  async #install(name: string, version: string, place: string): Promise<void> {
    await mkdir(dirname(place), { recursive: true });
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
      if ((await load(temporary, name)) === undefined) throw new Error("npm installed nothing of that name");
      if (this.#shared) await chmod(temporary, 0o755);
      await rm(place, { recursive: true, force: true });
      await rename(temporary, place);
    } catch (error) {
      await rm(temporary, { recursive: true, force: true });
      // Another process was faster: what it has put there serves as well.
      if ((await load(place, name)) === undefined) throw error;
      this.#log.debug({ name, version }, "another process installed the package");
    }
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

async function load(place: string, name: string): Promise<InstalledPackage | undefined> {
  const folder = join(place, "node_modules", name);
  let manifest: Manifest;
  try {
    manifest = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
  } catch {
    return undefined;
  }
  return {
    ...{ folder, root: place },
    bin(command) {
      const file = typeof manifest.bin === "string" ? manifest.bin : manifest.bin?.[command];
      if (file !== undefined) return join(folder, file);
      throw new FleetError(
        "PACKAGE_NOT_INSTALLED",
        `${name}@${manifest.version} has no command "${command}"; choose another version`,
      );
    },
  };
}
