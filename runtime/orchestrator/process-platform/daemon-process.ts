import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { FleetError } from "../../errors.ts";
import type { GatewayStatus } from "../../gateway.ts";
import { privateFolder } from "../../private-files.ts";
import { identify, isAlive, type ProcessIdentity, signalGroup } from "../process-identity.ts";
import { AdminClient } from "./admin-client.ts";
import { serving } from "./serving.ts";
import { ownSocketFolder } from "./socket-folder.ts";
import { keepWord } from "./starter.ts";
import type { StateFolder } from "./state-folder.ts";

const pollMs = 50;
/** A gateway is small: a modest young generation keeps its memory so, at no cost that its benchmarks show. */
const daemonFlags = ["--max-semi-space-size=1"];

/** What the pid file says of a daemon. */
export interface DaemonRecord extends ProcessIdentity {
  /** Its admin socket. Absent for a daemon of an earlier version, which no other can follow. */
  readonly socket?: string;
}

/** What to start. */
export interface DaemonStart {
  /** The file of the `mcp-fleet` command. */
  readonly entry: string;
  /** Its admin socket. */
  readonly socket: string;
  /** Another daemon serves until this one is told to listen. */
  readonly follows: boolean;
  /** Where it listens, in place of what the settings say. Defaults to that. */
  readonly port?: number | undefined;
}

/** A daemon from its start until it is kept: it ends when this process goes before. */
export class DaemonProcess {
  readonly record: DaemonRecord;
  readonly admin: AdminClient;
  readonly #state: StateFolder;
  readonly #child: ChildProcess;
  readonly #exited: Promise<never>;
  #over = false;

  private constructor(state: StateFolder, child: ChildProcess, socket: string, output: string) {
    this.#state = state;
    this.#child = child;
    this.admin = new AdminClient(socket);
    this.#exited = new Promise<never>((_, reject) => {
      const fail = (error: Error) => {
        this.#over = true;
        reject(error);
      };
      child.once("error", fail);
      child.once("exit", () => fail(new FleetError("INSTANCE_START_FAILED", lastWords(output))));
    });
    this.#exited.catch(() => {});
    const identity = identify(child.pid as number);
    // One that has ended at once is found by its exit.
    this.record = { pid: child.pid as number, startedAt: identity?.startedAt ?? "", socket };
  }

  static start(state: StateFolder, { entry, socket, follows, port }: DaemonStart): DaemonProcess {
    const { path, logs } = state;
    privateFolder(path);
    mkdirSync(logs, { recursive: true, mode: 0o700 });
    ownSocketFolder(socket);
    const outputFile = join(logs, "gateway.out");
    rmSync(outputFile, { force: true });
    const output = openSync(outputFile, "wx", 0o600);
    const at = port === undefined ? [] : ["--port", String(port)];
    const how = ["--daemon", socket, ...(follows ? ["--follows"] : []), ...at];
    const child = spawn(process.execPath, [...daemonFlags, entry, "serve", "--config", path, "--state", path, ...how], {
      detached: true,
      stdio: ["pipe", output, output],
      env: daemonEnvironment(),
    });
    closeSync(output);
    child.unref();
    // It can end before it is told anything.
    child.stdin?.on("error", () => {});
    return new DaemonProcess(state, child, socket, outputFile);
  }

  /** Waits until these fleets serve. Rejects with INSTANCE_START_FAILED. */
  serving(fleets: readonly string[]): Promise<GatewayStatus> {
    return Promise.race([serving(this.#state, this.admin, fleets, () => !this.#over), this.#exited]);
  }

  /** From now on it outlives this process. */
  async keep(): Promise<void> {
    await new Promise<void>((resolve) => this.#child.stdin?.end(keepWord, () => resolve()));
    // Its later end is found by who looks; by then its words may have gone with its folder.
    this.#child.removeAllListeners("exit");
  }

  /** Ends it, with what it has started. */
  async end(limitMs: number): Promise<void> {
    this.#child.removeAllListeners("exit");
    this.#child.stdin?.destroy();
    await goneWithin(this.record, limitMs);
  }
}

/** Waits for the end of a process, and kills it when that takes longer. */
export async function goneWithin(identity: ProcessIdentity, limitMs: number): Promise<void> {
  for (let waited = 0; waited < limitMs && isAlive(identity); waited += pollMs) await sleep(pollMs);
  if (isAlive(identity)) signalGroup(identity.pid, "SIGKILL");
}

/** The caller's environment without what belongs to the deployment engine, such as its passphrase. */
export function daemonEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("PULUMI_")));
}

function lastWords(file: string): string {
  const lines = readFileSync(file, "utf8").trim().split("\n");
  const said = lines.filter((line) => line.startsWith("mcp-fleet: ")).map((line) => line.slice("mcp-fleet: ".length));
  return said[0] ?? `the gateway ended at once: ${lines.slice(-3).join(" | ") || "it said nothing"}`;
}
