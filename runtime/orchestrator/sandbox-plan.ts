import { resolve } from "node:path";
import { isWithheld } from "../config/schema/confinement-rules.ts";
import type { Sandbox } from "../config/schema/index.ts";
import { FleetError } from "../errors.ts";
import { findCommand } from "./find-command.ts";
import { type OwnPaths, programs, real, whyGuarded, whyHidden } from "./own-paths.ts";
import { isBeneath, isWithin, type PathWalk, walkPath } from "./path-walk.ts";
import type { WritableFolder, WritableFolders } from "./writable-folders.ts";

/** A server that runs in a sandbox. */
export interface SandboxedServer {
  readonly name: string;
  readonly sandbox: Sandbox;
  readonly command: string;
  /** Where the command is looked for. */
  readonly path: string;
  /** Defaults to the instance's temporary folder. */
  readonly cwd: string | undefined;
  /** Files and folders that the program consists of, besides the command. */
  readonly parts: readonly string[];
}

/** A path of the machine at a place in the sandbox. */
export interface Bind {
  /** Without links. */
  readonly source: string;
  readonly place: string;
  readonly writable: boolean;
}

/** What a server sees, with every path followed to its end. */
export interface SandboxPlan {
  /** Undefined when there is no such command. */
  readonly executable: string | undefined;
  readonly cwd: string | undefined;
  readonly binds: readonly Bind[];
  /** Folders that the server can write to. */
  readonly folders: readonly WritableFolder[];
  /** The gateway's own, within what is bound; covered. */
  readonly covered: readonly string[];
}

/** The real paths of the folders that a server can write to; those that are not there are left out. */
export function foldersOf({ name, sandbox }: Pick<SandboxedServer, "name" | "sandbox">): WritableFolder[] {
  return (sandbox.write ?? []).flatMap((text) => {
    const path = walkPath(text)?.real;
    return path === undefined ? [] : [{ server: name, path }];
  });
}

/**
 * Follows the paths of a server. Nothing that a sandboxed server can turn into a link is followed: a path that lies
 * within a folder that one of them can write to is refused. The working directory and the command can lie within the
 * server's own folders: they are then looked up inside the sandbox only. Throws SANDBOX_UNAVAILABLE.
 */
export function planSandbox(server: SandboxedServer, folders: WritableFolders, own: OwnPaths): SandboxPlan {
  return new Planner(server, folders, own).plan();
}

class Planner {
  readonly #server: SandboxedServer;
  readonly #folders: WritableFolders;
  readonly #own: OwnPaths;
  readonly #binds: Bind[] = [];
  /** Places at which something can be seen, with all that is beneath. */
  readonly #seen: string[] = [...programs];

  constructor(server: SandboxedServer, folders: WritableFolders, own: OwnPaths) {
    this.#server = server;
    this.#folders = folders;
    this.#own = own;
  }

  plan(): SandboxPlan {
    const { name, sandbox, command, path, parts } = this.#server;
    const cwd = this.#server.cwd && resolve(this.#server.cwd);
    for (const key of ["read", "write"] as const) {
      const texts = sandbox[key] ?? [];
      for (const [index, text] of texts.entries()) this.#named(`sandbox.${key}[${index}]`, text, key === "write");
    }
    const executable = findCommand(command, path, cwd ?? process.cwd());
    if (cwd !== undefined) this.#needed("process.cwd", cwd);
    if (executable !== undefined) this.#needed("process.command", executable);
    for (const part of parts) this.#needed("type", part);
    return {
      executable,
      cwd,
      binds: this.#binds,
      folders: this.#binds.filter(({ writable }) => writable).map(({ source }) => ({ server: name, path: source })),
      covered: this.#own.hidden.map(real).filter((one) => this.#binds.some(({ source }) => isBeneath(source, one))),
    };
  }

  /** What `read` or `write` names. */
  #named(field: string, text: string, writable: boolean): void {
    const walk = this.#walk(field, text);
    if (walk === undefined) throw this.#refused(field, text, "which is not there", "create it, or correct the path");
    const fix = "name the folders that the server needs";
    if (isWithheld(walk.real)) throw this.#refused(field, text, `a link to ${walk.real}`, fix);
    const why = writable ? whyGuarded(walk.real, this.#own) : whyHidden(walk.real, this.#own);
    if (why !== undefined) throw this.#refused(field, text, `which ${why}`, fix);
    this.#bind(walk, writable);
  }

  /** What the server cannot do without; where it can be seen anyway, nothing is added. */
  #needed(field: string, path: string): void {
    if (isWithheld(path) || this.#inOwnFolder(path)) return;
    if (field === "process.cwd" && this.#isSeen(path)) return;
    const walk = this.#walk(field, path);
    if (walk === undefined || isWithheld(walk.real) || walk.names.every((name) => this.#isSeen(name))) return;
    const why = whyHidden(walk.real, this.#own);
    if (why !== undefined) throw this.#refused(field, path, `which ${why}`, "move it out of there");
    this.#bind(walk, false);
  }

  #walk(field: string, path: string): PathWalk | undefined {
    const walk = walkPath(path);
    const folder = walk && this.#folders.turning(walk);
    if (folder === undefined) return walk;
    const { server, path: where } = folder;
    if (server !== undefined) {
      const fix = "name a path outside of it, or the folder itself";
      throw this.#refused(field, path, `which lies within ${where}, where server "${server}" can put links`, fix);
    }
    const fix = "name the path without that link";
    throw this.#refused(field, path, `which leads over a link within ${where}, where a server could put links`, fix);
  }

  /** At its real path, and at each name by which it is reached where nothing else is. */
  #bind({ real: source, names }: PathWalk, writable: boolean): void {
    this.#binds.push({ source, place: source, writable });
    this.#seen.push(source);
    for (const place of names.filter((one) => !this.#isSeen(one))) {
      this.#binds.push({ source, place, writable });
      this.#seen.push(place);
    }
  }

  #isSeen(path: string): boolean {
    return this.#seen.some((one) => isWithin(one, path));
  }

  #inOwnFolder(path: string): boolean {
    return this.#binds.some(({ writable, place }) => writable && isWithin(place, path));
  }

  #refused(field: string, path: string, why: string, fix: string): FleetError {
    const text = `servers.${this.#server.name}.${field}: is "${path}", ${why}; ${fix}`;
    return new FleetError("SANDBOX_UNAVAILABLE", text);
  }
}
