import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { messageOf } from "../../errors.ts";
import { privateFolder } from "../../private-files.ts";
import { endedSessionsFolder } from "../../protocol/ended-sessions.ts";
import { writableFoldersFile } from "../writable-folders.ts";
import { fitsSocket, socketBeyond } from "./socket-folder.ts";

/** The folder in which a gateway daemon lives: its configuration, socket, pid file, records and logs. */
export class StateFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  get gatewayFile(): string {
    return join(this.path, "gateway.json");
  }
  get pidFile(): string {
    return join(this.path, "gateway.pid");
  }
  get sessionKey(): string {
    return join(this.path, "session.key");
  }
  get instances(): string {
    return join(this.path, "instances");
  }
  get logs(): string {
    return join(this.path, "log");
  }
  /** The gateway's log, unless its settings name another file. */
  get log(): string {
    return join(this.logs, "gateway.log");
  }
  get servers(): string {
    return join(this.path, "servers");
  }
  serverFile(name: string): string {
    return join(this.servers, `${name}.json`);
  }
  /** Fleets that the gateway of this folder does not serve. */
  get waiting(): string {
    return join(this.path, "fleets");
  }
  waitingFile(name: string): string {
    return join(this.waiting, `${name}.json`);
  }
  /** Whose folder it is. */
  get ownerFile(): string {
    return join(this.path, "owner.json");
  }

  /** Names of the JSON files in one of its folders. */
  names(folder: string): string[] {
    if (!existsSync(folder)) return [];
    const files = readdirSync(folder).filter((name) => name.endsWith(".json"));
    return files.map((name) => name.slice(0, -".json".length)).sort();
  }

  /** Beside the rest, or in a folder of this user's alone when that path would be too long for a socket. */
  get socket(): string {
    const beside = join(this.path, "admin.sock");
    return fitsSocket(beside) ? beside : socketBeyond(this.path);
  }

  /** Why nothing can be kept here, or undefined when all is well. Leaves nothing behind. */
  problem(): string | undefined {
    let parent = this.path;
    while (!existsSync(parent)) parent = dirname(parent);
    try {
      rmdirSync(mkdtempSync(join(parent, ".mcp-fleet-")));
      return undefined;
    } catch (error) {
      const fix = "make the folder writable, or choose another one (process.stateDirectory, MCP_FLEET_STATE)";
      return `the state folder ${this.path} cannot be written (${messageOf(error)}); ${fix}`;
    }
  }

  /** Writes JSON that only the owner can read, all of it or nothing. */
  write(file: string, value: unknown): void {
    privateFolder(this.path);
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    const temporary = `${file}.new`;
    writeFileSync(temporary, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
    chmodSync(temporary, 0o600);
    renameSync(temporary, file);
  }

  /** What a file holds; undefined when it is not there or was cut short. */
  read(file: string): unknown {
    try {
      return JSON.parse(readFileSync(file, "utf8"));
    } catch {
      return undefined;
    }
  }

  /**
   * Sockets of daemons, of which one can follow the other; `socket` leads to that of the daemon in charge. Shorter than it,
   * so that they fit where it fits.
   */
  get daemonSockets(): readonly [string, string] {
    const stem = this.socket.slice(0, -".sock".length);
    return [`${stem}.a`, `${stem}.b`];
  }

  /** Removes everything of the gateway; what fleets have put here they remove themselves. */
  clear(): void {
    const sockets = [this.socket, ...this.daemonSockets];
    const own = [
      this.gatewayFile,
      this.pidFile,
      this.ownerFile,
      this.sessionKey,
      ...sockets,
      this.instances,
      this.logs,
    ];
    const noted = [writableFoldersFile, endedSessionsFolder].map((name) => join(this.path, name));
    for (const file of [...own, ...noted]) rmSync(file, { recursive: true, force: true });
    this.removeIfEmpty();
  }

  /** Removes the folders that nothing is left in. */
  removeIfEmpty(): void {
    const sockets = dirname(this.socket);
    for (const folder of [this.servers, this.waiting, this.path, ...(sockets === this.path ? [] : [sockets])]) {
      try {
        rmdirSync(folder);
      } catch {
        // Something else is still in it.
      }
    }
  }
}
