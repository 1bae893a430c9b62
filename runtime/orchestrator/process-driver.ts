import { type ChildProcess, type StdioNull, type StdioPipe, spawn } from "node:child_process";
import { existsSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import type { Logger } from "pino";
import { defaults } from "../config/defaults.ts";
import type { ResolvedConfig } from "../config/index.ts";
import type { Limits, Sandbox } from "../config/schema/index.ts";
import { FleetError, messageOf } from "../errors.ts";
import type { InstanceCgroup, InstanceCgroups } from "../host/instance-cgroup.ts";
import { ProcessTable } from "../host/process-tree.ts";
import type { Metrics } from "../observability/metrics.ts";
import { readInTurns } from "../upstreams/read-in-turns.ts";
import { findCommand } from "./find-command.ts";
import { inheritedDescriptors } from "./inherited-descriptors.ts";
import { InstanceGroups } from "./instance-groups.ts";
import { type Invocation, withinGroup, withOpenFiles } from "./invocation.ts";
import { type Excess, LimitWatch, type LimitWatchOptions } from "./limit-watch.ts";
import { identify, type ProcessIdentity, sendSignal, signalGroup } from "./process-identity.ts";
import { ProcessRecords } from "./process-records.ts";
import { inMemory, sandboxed, sandboxProcesses } from "./sandbox.ts";
import type { SandboxedServer, SandboxPlan } from "./sandbox-plan.ts";
import { Sandboxes } from "./sandboxes.ts";
import { minimalEnvironment } from "./server-environment.ts";
import { endStrays } from "./strays.ts";
import { syscallFilter } from "./syscall-filter.ts";
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
  /** The servers that it runs at first. Defaults to those that are started. */
  readonly config?: ResolvedConfig;
  /** Keeps records that let the next gateway end what this one leaves when it is killed, and folders that sandboxed servers could write to. Without it there are none. */
  readonly stateDirectory?: string | undefined;
  /** A folder of the gateway's own that sandboxed servers do not see, besides the state folder. Defaults to none. */
  readonly hidden?: string | undefined;
  /** Where ends for a limit are counted. Defaults to nowhere. */
  readonly metrics?: Pick<Metrics, "overLimit" | "gaugeByServer">;
  /** How limits are watched. */
  readonly watch?: LimitWatchOptions;
  /** Opens the control groups of this machine. */
  readonly cgroups?: () => InstanceCgroups | string;
}

const filter = syscallFilter();
/** The first one above the standard streams. */
const filterDescriptor = 3;
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
  readonly #sandboxes: Sandboxes;
  readonly #groups: InstanceGroups;
  readonly #inherited = inheritedDescriptors();
  #nothing: number | undefined;
  #closed = false;
  readonly #running = new Set<ManagedProcess>();

  constructor({ log, config, stateDirectory, hidden, metrics, watch, cgroups }: ProcessDriverOptions) {
    this.#sandboxes = new Sandboxes({ stateDirectory, hidden });
    if (config !== undefined) this.configure(config);
    this.#groups = new InstanceGroups(log, cgroups);
    this.#log = log;
    this.#metrics = metrics;
    this.#watch = new LimitWatch(watch);
    const help = "How near the server's fullest process is to one of its `limits`, 0 to 1; over 1 it is ended.";
    metrics?.gaugeByServer("mcp_instance_limit_utilization", help, () => this.#watch.shares());
    this.#records = stateDirectory === undefined ? undefined : new ProcessRecords(join(stateDirectory, "instances"));
  }

  get running(): number {
    return this.#running.size;
  }

  /** Ends what a killed gateway left behind. Returns how many processes that were. */
  async sweep(): Promise<number> {
    const killed = (await this.#records?.sweep()) ?? 0;
    if (killed > 0) this.#log.warn({ processes: killed }, "ended processes that an earlier gateway had left");
    return killed;
  }

  /** Takes over what the servers of another configuration can see in their sandboxes. */
  configure(config: ResolvedConfig): void {
    this.#sandboxes.configure(config);
  }

  /** Rejects with COMMAND_NOT_FOUND, SANDBOX_UNAVAILABLE or INSTANCE_START_FAILED, with DRAINING once it is closed. */
  async start(spec: ProcessSpec): Promise<ManagedProcess> {
    const { fleet, command, env, sandbox } = spec;
    if (this.#closed) throw new FleetError("DRAINING", `${fleet}: the fleet is shutting down`);
    const path = env.PATH ?? process.env.PATH ?? "";
    const executable = findCommand(command, path, spec.cwd ?? process.cwd());
    if (executable === undefined) throw commandNotFound(fleet, command);
    if (spec.cwd !== undefined && !existsSync(spec.cwd)) throw folderNotFound(fleet, spec.cwd);
    const folder = mkdtempSync(join(tmpdir(), "mcp-fleet-"));
    let child: ChildProcess;
    let plan: SandboxPlan | undefined;
    let group: InstanceCgroup | undefined;
    try {
      if (sandbox === undefined) this.#sandboxes.checkCommand(fleet, executable);
      else plan = this.#sandboxes.planFor({ ...sandboxOf(spec), sandbox });
      const confined = withOpenFiles(fleet, spec.limits?.openFiles, this.#confined(spec, executable, folder, plan));
      group = spec.limits && this.#groups.for(spec.limits);
      const run = group === undefined ? confined : withinGroup(group.joins, confined);
      child = spawn(run.executable, run.args, {
        // bubblewrap goes to the working directory itself, inside.
        cwd: plan === undefined ? (spec.cwd ?? folder) : "/",
        env: {
          ...minimalEnvironment(sandbox === undefined || sandbox.network === true),
          TMPDIR: folder,
          ...(sandbox && { HOME: folder }),
          ...env,
        },
        detached: true,
        stdio: this.#descriptors(plan !== undefined),
      });
      if (plan !== undefined) sendFilter(child);
      await spawned(child);
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      group?.remove();
      if (error instanceof FleetError) throw error;
      throw new FleetError("INSTANCE_START_FAILED", `${fleet}: ${command} cannot be run: ${messageOf(error)}`, {
        cause: error,
      });
    }
    if (plan !== undefined) this.#sandboxes.started(child, plan);
    const managed = this.#manage(child, folder, spec, { plan, group });
    this.#running.add(managed);
    return managed;
  }

  /** Stops everything that runs, and starts nothing more. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#running].map((running) => running.stop()));
  }

  /** A server is worth more than its record, which counts only when this gateway is killed. */
  #record(fleet: string, identity: ProcessIdentity, folder: string): void {
    try {
      this.#records?.add({ ...identity, folder });
    } catch (error) {
      const text = "the record of a process cannot be written: it will stay if this gateway is killed";
      this.#log.warn({ fleet, pid: identity.pid, reason: messageOf(error) }, text);
    }
  }

  #confined(
    { args, cwd, fleet, limits, sandbox }: ProcessSpec,
    executable: string,
    folder: string,
    plan?: SandboxPlan,
  ): Invocation {
    if (plan === undefined) return { executable, args };
    return sandboxed({
      fleet,
      plan,
      executable,
      args,
      folder,
      cwd: cwd ?? folder,
      network: sandbox?.network === true,
      folderBytes: (limits?.diskMiB ?? defaults.sandbox.diskMiB) * 2 ** 20,
      filter: filter === undefined ? undefined : filterDescriptor,
    });
  }

  /** Standard streams and, for a sandbox, the filter of system calls; nothing in place of what this process has inherited. */
  #descriptors(inSandbox: boolean): (StdioPipe | StdioNull | number)[] {
    const withFilter = inSandbox && filter !== undefined;
    const streams: (StdioPipe | StdioNull | number)[] = [
      "pipe",
      "pipe",
      "pipe",
      ...(withFilter ? ["pipe" as const] : []),
    ];
    for (const fd of this.#inherited) {
      while (streams.length < fd) streams.push("ignore");
      // "ignore" would leave it open.
      if (streams[fd] !== "pipe") streams[fd] = this.#nothing ??= openSync("/dev/null", "r");
    }
    return streams;
  }

  #manage(
    child: ChildProcess,
    folder: string,
    { fleet, limits }: ProcessSpec,
    { plan, group }: Bounds,
  ): ManagedProcess {
    const pid = child.pid as number;
    let over: Excess | undefined;
    if (limits !== undefined) {
      const onOver = (excess: Excess, pids: readonly number[]) => {
        over = excess;
        this.#log.warn({ fleet, pid, ...excess }, "a process is over its limits and is ended");
        this.#metrics?.overLimit(fleet, excess.limit);
        for (const one of pids) sendSignal(one, "SIGKILL");
        group?.kill();
      };
      this.#watch.add(pid, {
        server: fleet,
        limits,
        group,
        onOver,
        ...(plan === undefined
          ? { besides: 0, folder }
          : { besides: sandboxProcesses, inMemory: [...inMemory, folder] }),
      });
    }
    /** What was below it when it was told to end. */
    let below: readonly ProcessIdentity[] = [];
    const identity = identify(pid);
    if (identity !== undefined) this.#record(fleet, identity, folder);
    let stopping = false;
    const tail = new Tail((line) => this.#log.debug({ fleet, pid, stderr: line }));
    if (child.stderr) readInTurns(child.stderr, (chunk) => tail.push(chunk));
    const ended = new Promise<ProcessEnd>((resolve) => {
      child.once("exit", (code, signal) => {
        const late = this.#watch.remove(pid);
        if (late !== undefined) {
          over = late;
          this.#log.warn({ fleet, pid, ...late }, "the kernel has ended a process that was over its limits");
          this.#metrics?.overLimit(fleet, late.limit);
        }
        // Its own children (a browser, say) must not outlive it.
        signalGroup(pid, "SIGKILL");
        group?.kill();
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
    const gone = ended.then(async () => {
      this.#sandboxes.ended(child);
      if (group !== undefined) await this.#groups.end(group);
      else if (plan === undefined) await endStrays(folder, below);
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
        if (plan === undefined && group === undefined) below = identitiesBelow(pid);
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
  const field = `servers.${fleet}.process.command: "${command}"`;
  if (command.includes("/") && existsSync(command))
    return new FleetError(
      "COMMAND_NOT_FOUND",
      `${field} is not executable; run chmod +x on it, or name its interpreter as the command`,
    );
  const fix = "install it, correct the name, or give an absolute path";
  return new FleetError("COMMAND_NOT_FOUND", `${field} is not an executable on PATH; ${fix}`);
}

function folderNotFound(fleet: string, folder: string): FleetError {
  const fix = "create the folder, or correct its name";
  return new FleetError("INSTANCE_START_FAILED", `servers.${fleet}.process.cwd: ${folder} does not exist; ${fix}`);
}

/** What holds a process and all that it starts, besides its own process group. */
interface Bounds {
  readonly plan: SandboxPlan | undefined;
  readonly group: InstanceCgroup | undefined;
}

function identitiesBelow(pid: number): ProcessIdentity[] {
  const { members } = ProcessTable.read().treeOf(pid);
  return members.filter((one) => one.pid !== pid);
}

/** What of a process its sandbox depends on. */
function sandboxOf({ fleet, command, cwd, env, parts = [] }: ProcessSpec): Omit<SandboxedServer, "sandbox"> {
  return { name: fleet, command, path: env.PATH ?? process.env.PATH ?? "", cwd, parts };
}

function sendFilter({ stdio }: ChildProcess): void {
  const pipe = filter === undefined ? undefined : (stdio[filterDescriptor] as Writable);
  // bubblewrap that ends before it has read it says why itself.
  pipe?.on("error", () => {}).end(filter);
}

function spawned(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => child.once("spawn", resolve).once("error", reject));
}
