import { isDeepStrictEqual } from "node:util";
import type { ResolvedConfig } from "../config/index.ts";
import { FleetError } from "../errors.ts";
import { filesIn, type OwnPaths } from "./own-paths.ts";
import { packageFolder } from "./package-cache.ts";
import { notesFolder } from "./package-notes.ts";
import { walkPath } from "./path-walk.ts";
import { foldersOf, planSandbox, type SandboxedServer, type SandboxPlan } from "./sandbox-plan.ts";
import { sandboxedServers } from "./server-process.ts";
import { type WritableFolder, WritableFolders } from "./writable-folders.ts";

interface Entry {
  readonly server: SandboxedServer;
  readonly plan: SandboxPlan;
}

export interface SandboxesOptions {
  /** Keeps what servers could write to; without it that is forgotten with the process. */
  readonly stateDirectory?: string | undefined;
  /** A folder with sockets of the gateway's own, besides the admin listener's. Defaults to none. */
  readonly hidden?: string | undefined;
  /** Where packages of presets are. Defaults to the cache's own default. */
  readonly packages?: string;
}

/**
 * The sandboxes of all servers. Paths are followed when the configuration is read; at each start they must still lead to
 * the same place, so that nothing a server has done in its folders shows it more than before.
 */
export class Sandboxes {
  readonly #folders: WritableFolders;
  readonly #hidden: readonly string[];
  readonly #packages: readonly string[];
  #own: OwnPaths;
  #entries = new Map<string, Entry>();
  #writable = new Map<string, readonly WritableFolder[]>();

  constructor({ stateDirectory, hidden, packages = packageFolder() }: SandboxesOptions = {}) {
    this.#folders = new WritableFolders(stateDirectory);
    this.#hidden = [stateDirectory, hidden].filter((path) => path !== undefined);
    this.#packages = [packages, notesFolder()];
    this.#own = { hidden: this.#hidden, guarded: this.#packages };
  }

  /** Takes over the servers of a configuration. A server whose paths are refused fails when it is started. */
  configure(config: ResolvedConfig): void {
    const servers = sandboxedServers(config.servers);
    const { admin } = config.gateway;
    const own: OwnPaths = {
      hidden: [...this.#hidden, ...(admin.socket === undefined ? [] : [admin.socket])],
      guarded: [...this.#packages, ...filesIn(config), ...(config.files ?? [])],
    };
    this.#own = own;
    this.#entries = new Map();
    this.#writable = new Map(servers.map((server) => [server.name, foldersOf(server)]));
    this.#folders.configure([...this.#writable.values()].flat());
    for (const server of servers) {
      try {
        this.#entries.set(server.name, { server, plan: planSandbox(server, this.#folders, own) });
      } catch (error) {
        if (!(error instanceof FleetError)) throw error;
      }
    }
  }

  /** What a server sees if it starts now. Throws SANDBOX_UNAVAILABLE. */
  planFor(server: SandboxedServer): SandboxPlan {
    const { name } = server;
    // A folder can be made after the configuration was read.
    this.#writable.set(name, foldersOf(server));
    this.#folders.configure([...this.#writable.values()].flat());
    const plan = planSandbox(server, this.#folders, this.#own);
    const known = this.#entries.get(name);
    // The package of a preset is known when it is installed, a command perhaps later than the configuration.
    const whole = known !== undefined && isDeepStrictEqual(known.server, server) && known.plan.executable !== undefined;
    if (!whole) this.#entries.set(name, { server, plan });
    else if (!isDeepStrictEqual({ ...known.plan, covered: [] }, { ...plan, covered: [] })) {
      const fix = "reload the configuration if that is right";
      const text = `servers.${name}.sandbox: its paths lead elsewhere than when the configuration was read; ${fix}`;
      throw new FleetError("SANDBOX_UNAVAILABLE", text);
    }
    return plan;
  }

  /** A server without a sandbox must not run what one with a sandbox can replace. Throws SANDBOX_UNAVAILABLE. */
  checkCommand(fleet: string, executable: string): void {
    const walk = walkPath(executable);
    const folder = walk && this.#folders.turning(walk);
    if (folder === undefined) return;
    const who =
      folder.server === undefined ? "a server in a sandbox could write" : `server "${folder.server}" can write`;
    const why = `which lies within ${folder.path}, to which ${who}`;
    const text = `servers.${fleet}.process.command: is "${executable}", ${why}; move it out of there`;
    throw new FleetError("SANDBOX_UNAVAILABLE", text);
  }

  /** A process runs with that plan. */
  started(process: object, { folders }: SandboxPlan): void {
    this.#folders.started(process, folders);
  }

  ended(process: object): void {
    this.#folders.ended(process);
  }
}
