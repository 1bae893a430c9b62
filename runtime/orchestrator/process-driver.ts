import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import type { Logger } from "pino";
import type { Limits, Sandbox } from "../config/schema/index.ts";
import { FleetError, messageOf } from "../errors.ts";
import type { Metrics } from "../observability/metrics.ts";
import { findCommand } from "./find-command.ts";
import { withOpenFiles } from "./invocation.ts";
import { type Excess, LimitWatch, type LimitWatchOptions } from "./limit-watch.ts";
import { identify, sendSignal, signalGroup } from "./process-identity.ts";
import { ProcessRecords } from "./process-records.ts";
import { sandboxed, sandboxProcesses } from "./sandbox.ts";
import { Tail } from "./tail.ts";

/** What to run. */
export interface ProcessSpec {
  readonly fleet: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Defaults to the instance's temporary folder. */
  readonly cwd?: string | undefined;
  /** Defaults to none. */
  readonly limits?: Limits | undefined;
  /** Defaults to none. */
  readonly sandbox?: Sandbox | undefined;
  /** Files and folders that the program consists of, besides the command. Defaults to none. */
  readonly parts?: readonly string[];
}

/** How a process ended. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The last lines of standard error. */
  readonly stderr: string;
  /** The limit that it was ended for. */
  readonly over?: Excess;
}

/** A process that the driver looks after. */
export interface ManagedProcess {
  readonly pid: number;
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly ended: Promise<ProcessEnd>;
  /** Closes standard input, then sends SIGTERM, then SIGKILL to the whole group (basic/lifecycle, shutdown). */
  stop(graceMs?: number): Promise<void>;
}

export interface ProcessDriverOptions {
  readonly log: Logger;
  /** Folder of the records that let the next gateway end what this one leaves when it is killed. */
  readonly records?: string;
  /** Where ends for a limit are counted. Defaults to nowhere. */
  readonly metrics?: Pick<Metrics, "overLimit" | "gaugeByServer">;
  /** How limits are watched. */
  readonly watch?: LimitWatchOptions;
}

/** What a server inherits besides its own `env`: nothing that could be a secret. */
const inherited = [
  "PATH",
  "HOME",
  "LANG",
  "LC_ALL",
  "TZ",
  "USER",
  "NODE_EXTRA_CA_CERTS",
  "SSL_CERT_FILE",
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "NO_PROXY",
];
/** Time between closing standard input, SIGTERM and SIGKILL. */
const defaultGraceMs = 2000;
/** How long after the end of a process its pipes are read. */
const lastWordsMs = 500;

/** Runs servers as local processes, each in a process group and a temporary folder of its own. */
export class ProcessDriver {
  readonly #log: Logger;
  readonly #records: ProcessRecords | undefined;
  readonly #metrics: ProcessDriverOptions["metrics"];
  readonly #watch: LimitWatch;
  readonly #running = new Set<ManagedProcess>();

  constructor({ log, records, metrics, watch }: ProcessDriverOptions) {
    this.#log = log;
    this.#metrics = metrics;
    this.#watch = new LimitWatch(watch);
    const help = "How near the server's fullest process is to one of its `limits`, 0 to 1; over 1 it is ended.";
    metrics?.gaugeByServer("mcp_instance_limit_utilization", help, () => this.#watch.shares());
    this.#records = records === undefined ? undefined : new ProcessRecords(records);
  }

  get running(): number {
    return this.#running.size;
  }

  /** Ends what a killed gateway left behind. Returns how many processes that were. */
  async sweep(): Promise<number> {
    const killed = this.#records?.sweep() ?? 0;
    if (killed > 0) this.#log.warn({ processes: killed }, "ended processes that an earlier gateway had left");
    return killed;
  }

  /** Rejects with COMMAND_NOT_FOUND, SANDBOX_UNAVAILABLE or INSTANCE_START_FAILED. */
  async start(spec: ProcessSpec): Promise<ManagedProcess> {
    const { fleet, command, args, env, limits, sandbox, parts = [] } = spec;
    const path = env.PATH ?? process.env.PATH ?? "";
    const executable = findCommand(command, path, spec.cwd ?? process.cwd());
    if (executable === undefined) throw commandNotFound(fleet, command);
    const folder = mkdtempSync(join(tmpdir(), "mcp-fleet-"));
    const cwd = spec.cwd ?? folder;
    let child: ChildProcess;
    try {
      const plain = { executable, args };
      const confined = sandbox === undefined ? plain : sandboxed(sandbox, { fleet, folder, cwd, parts, ...plain });
      const run = withOpenFiles(fleet, limits?.openFiles, confined);
      child = spawn(run.executable, run.args, {
        cwd,
        env: { ...minimalEnvironment(), TMPDIR: folder, ...(sandbox && { HOME: folder }), ...env },
        detached: true,
        stdio: ["pipe", "pipe", "pipe"],
      });
      await spawned(child);
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      if (error instanceof FleetError) throw error;
      throw new FleetError("INSTANCE_START_FAILED", `${fleet}: ${command} cannot be run: ${messageOf(error)}`, {
        cause: error,
      });
    }
    const managed = this.#manage(child, folder, spec);
    this.#running.add(managed);
    return managed;
  }

  /** Stops everything that runs. */
  async close(): Promise<void> {
    await Promise.all([...this.#running].map((running) => running.stop()));
  }

  #manage(child: ChildProcess, folder: string, { fleet, limits, sandbox }: ProcessSpec): ManagedProcess {
    const pid = child.pid as number;
    let over: Excess | undefined;
    if (limits !== undefined) {
      const onOver = (excess: Excess, pids: readonly number[]) => {
        over = excess;
        this.#log.warn({ fleet, pid, ...excess }, "a process is over its limits and is ended");
        this.#metrics?.overLimit(fleet, excess.limit);
        for (const one of pids) sendSignal(one, "SIGKILL");
      };
      this.#watch.add(pid, { server: fleet, limits, besides: sandbox === undefined ? 0 : sandboxProcesses, onOver });
    }
    const identity = identify(pid);
    if (identity !== undefined) this.#records?.add({ ...identity, folder });
    let stopping = false;
    const tail = new Tail((line) => this.#log.debug({ fleet, pid, stderr: line }));
    child.stderr?.on("data", (chunk: Buffer) => tail.push(chunk));
    const ended = new Promise<ProcessEnd>((resolve) => {
      child.once("exit", (code, signal) => {
        this.#watch.remove(pid);
        // Its own children (a browser, say) must not outlive it.
        signalGroup(pid, "SIGKILL");
        const unasked = !stopping;
        const end = () => {
          const stderr = tail.text;
          // Callers are told the code alone; operators find here what the server said.
          if (unasked && code !== 0 && stderr !== "")
            this.#log.warn({ fleet, pid, code, signal, stderr }, "last words");
          resolve({ code, signal, stderr, ...(over && { over }) });
        };
        // Last words may still be in the pipe; a grandchild that left the group may hold it open for ever.
        const timer = setTimeout(end, lastWordsMs);
        child.once("close", () => {
          clearTimeout(timer);
          end();
        });
      });
    });
    const gone = ended.then(() => {
      this.#running.delete(managed);
      this.#records?.remove(pid);
      for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy();
      rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
    });
    const managed: ManagedProcess = {
      pid,
      stdin: child.stdin as Writable,
      stdout: child.stdout as Readable,
      ended,
      stop: async (graceMs = defaultGraceMs) => {
        stopping = true;
        child.stdin?.end();
        const term = setTimeout(() => signalGroup(pid, "SIGTERM"), graceMs / 2);
        const kill = setTimeout(() => signalGroup(pid, "SIGKILL"), graceMs);
        await gone;
        clearTimeout(term);
        clearTimeout(kill);
      },
    };
    return managed;
  }
}

/** COMMAND_NOT_FOUND, in the words of every place that looks for a command. */
export function commandNotFound(fleet: string, command: string): FleetError {
  const fix = "install it, correct the name, or give an absolute path";
  return new FleetError(
    "COMMAND_NOT_FOUND",
    `servers.${fleet}.process.command: "${command}" is not an executable on PATH; ${fix}`,
  );
}

function minimalEnvironment(): Record<string, string> {
  const entries = inherited.map((name) => [name, process.env[name]]).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries);
}

function spawned(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => child.once("spawn", resolve).once("error", reject));
}
