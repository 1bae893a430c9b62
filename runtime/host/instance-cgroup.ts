import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { ProcessTable } from "./process-tree.ts";

/** What an instance may use. The kernel holds it to that, where the gateway's own look comes too late. */
export interface CgroupLimits {
  readonly memoryBytes?: number | undefined;
  /** Processes and threads. */
  readonly tasks?: number | undefined;
}

/** What the processes of a control group use. */
export interface CgroupUsage {
  /** CPU time so far, in seconds, with that of all processes that have ended. */
  readonly seconds: number;
  /** Memory that the kernel cannot give back: of processes, in files in memory, of the kernel for them. */
  readonly bytes: number;
  readonly pids: readonly number[];
}

/** Where control groups can be made. */
interface Site {
  /** The folder in which each controller's groups are made; one for all with the second version. */
  readonly folders: Readonly<Record<Controller, string>>;
  readonly version: 1 | 2;
}
type Controller = "memory" | "pids" | "cpuacct";
const controllers: readonly Controller[] = ["memory", "pids", "cpuacct"];

const prefix = "mcp-fleet-";
/** The group of this process itself, where the rule of "no internal processes" wants one (cgroups(7)). */
const leaf = `${prefix}gateway`;

/** Makes a control group for each instance, beneath the group of this process, when that is left to it (delegation, cgroups(7)). */
export class InstanceCgroups {
  readonly #site: Site;
  #made = 0;

  private constructor(site: Site) {
    this.#site = site;
  }

  /** Undefined, with the reason, when this process cannot make control groups. */
  static open(root = "/sys/fs/cgroup", own = "/proc/self/cgroup"): InstanceCgroups | string {
    if (process.platform !== "linux") return "this is not Linux";
    try {
      accessSync("/bin/sh", constants.X_OK);
    } catch {
      return "there is no /bin/sh, with which a process joins its group";
    }
    try {
      const lines = readFileSync(own, "utf8").trim().split("\n");
      const site = existsSync(join(root, "cgroup.controllers")) ? second(root, lines) : first(root, lines);
      const groups = new InstanceCgroups(site);
      groups.sweep();
      groups.make({}).remove();
      return groups;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  /** Makes a group without processes. Throws what the system says. */
  make(limits: CgroupLimits): InstanceCgroup {
    this.#made += 1;
    const { folders, version } = this.#site;
    const name = `${prefix}${process.pid}-${this.#made}`;
    const all = controllers.map((controller) => join(folders[controller], name));
    const [memory, pids, cpuacct] = all as [string, string, string];
    const group = new InstanceCgroup({ memory, pids, cpuacct }, version);
    try {
      for (const folder of new Set(all)) mkdirSync(folder);
      group.limit(limits);
    } catch (error) {
      group.remove();
      throw error;
    }
    return group;
  }

  /** Groups of this process that are still there. */
  left(): readonly string[] {
    return this.#names().filter((name) => name.startsWith(`${prefix}${process.pid}-`));
  }

  #names(): string[] {
    const names = readdirSync(this.#site.folders.memory);
    return names.filter((name) => name.startsWith(prefix) && /^\d+-\d+$/.test(name.slice(prefix.length)));
  }

  /** Ends what gateways that were killed have left, and removes their groups. */
  sweep(): void {
    const { folders, version } = this.#site;
    for (const name of this.#names()) {
      if (existsSync(`/proc/${name.split("-")[2]}`)) continue;
      const [memory, pids, cpuacct] = controllers.map((one) => join(folders[one], name)) as [string, string, string];
      const group = new InstanceCgroup({ memory, pids, cpuacct }, version);
      group.kill();
      group.remove();
    }
  }
}

/** The control group of one instance. */
export class InstanceCgroup {
  readonly #folders: Readonly<Record<Controller, string>>;
  readonly #version: 1 | 2;

  constructor(folders: Readonly<Record<Controller, string>>, version: 1 | 2) {
    this.#folders = folders;
    this.#version = version;
  }

  /** Files to which a process writes 0 to join. */
  get joins(): readonly string[] {
    return this.#all().map((folder) => join(folder, "cgroup.procs"));
  }

  limit({ memoryBytes, tasks }: CgroupLimits): void {
    const { memory, pids } = this.#folders;
    if (memoryBytes !== undefined && this.#version === 2) {
      write(memory, "memory.max", memoryBytes);
      // Otherwise it would be slow rather than ended.
      if (existsSync(join(memory, "memory.swap.max"))) write(memory, "memory.swap.max", 0);
      write(memory, "memory.oom.group", 1);
    } else if (memoryBytes !== undefined) {
      write(memory, "memory.limit_in_bytes", memoryBytes);
      if (existsSync(join(memory, "memory.memsw.limit_in_bytes")))
        write(memory, "memory.memsw.limit_in_bytes", memoryBytes);
    }
    if (tasks !== undefined) write(pids, "pids.max", tasks);
  }

  read(): CgroupUsage {
    const { memory, cpuacct } = this.#folders;
    const stat = fields(read(memory, "memory.stat"));
    const v2 = this.#version === 2;
    const kernel = (stat.get("kernel") ?? stat.get("slab") ?? 0) - (stat.get("slab_reclaimable") ?? 0);
    const bytes = v2
      ? (stat.get("anon") ?? 0) + (stat.get("shmem") ?? 0) + Math.max(0, kernel)
      : (stat.get("total_rss") ?? 0) + (stat.get("total_shmem") ?? stat.get("shmem") ?? 0);
    return {
      bytes,
      seconds: v2
        ? (fields(read(cpuacct, "cpu.stat")).get("usage_usec") ?? 0) / 1e6
        : Number(read(cpuacct, "cpuacct.usage")) / 1e9,
      pids: pidsIn(memory),
    };
  }

  /** Has the kernel ended a process of it for want of memory? */
  get outOfMemory(): boolean {
    const file = this.#version === 2 ? "memory.events" : "memory.oom_control";
    return (fields(read(this.#folders.memory, file)).get("oom_kill") ?? 0) > 0;
  }

  /** Kills all of its processes. Those that fork meanwhile are met in the next round. */
  kill(): void {
    const { memory } = this.#folders;
    if (this.#version === 2 && existsSync(join(memory, "cgroup.kill"))) {
      attempt(() => write(memory, "cgroup.kill", 1));
      return;
    }
    for (let round = 0; round < 100; round += 1) {
      const pids = pidsIn(memory);
      if (pids.length === 0) return;
      for (const pid of pids) attempt(() => process.kill(pid, "SIGKILL"));
    }
  }

  /** Removes it; false as long as a process of it has not ended for good. */
  remove(): boolean {
    let removed = true;
    for (const folder of this.#all()) {
      if (existsSync(folder) && attempt(() => (rmdirSync(folder), true)) === undefined) removed = false;
    }
    return removed;
  }

  #all(): string[] {
    return [...new Set(Object.values(this.#folders))];
  }
}

/** Groups of the second version: one tree for all controllers. */
function second(root: string, lines: readonly string[]): Site {
  const path = lines.find((line) => line.startsWith("0::"))?.slice(3) ?? "/";
  const found = existsSync(join(root, path, "cgroup.procs")) ? join(root, path) : root;
  const base = basename(found) === leaf ? dirname(found) : found;
  const offered = new Set(read(base, "cgroup.controllers").split(/\s+/));
  for (const controller of ["memory", "pids"]) {
    if (!offered.has(controller)) throw new Error(`${base} has no controller "${controller}"`);
  }
  const enabled = new Set(read(base, "cgroup.subtree_control").split(/\s+/));
  if (!enabled.has("memory") || !enabled.has("pids")) {
    const inside = pidsIn(base);
    const ours = new Set(ProcessTable.read().treeOf(process.pid).pids);
    if (inside.some((pid) => !ours.has(pid))) throw new Error(`other processes are in ${base} too`);
    // A group whose children have controllers has no processes itself.
    if (inside.length > 0 && !existsSync(join(base, leaf))) mkdirSync(join(base, leaf));
    for (const pid of inside) write(join(base, leaf), "cgroup.procs", pid);
    write(base, "cgroup.subtree_control", "+memory +pids");
  }
  return { version: 2, folders: { memory: base, pids: base, cpuacct: base } };
}

/** Groups of the first version: one tree for each controller. */
function first(root: string, lines: readonly string[]): Site {
  const folderOf = (controller: Controller): string => {
    const line = lines.map((one) => one.split(":")).find(([, names]) => names?.split(",").includes(controller));
    if (line === undefined) throw new Error(`there is no controller "${controller}"`);
    const path = line.slice(2).join(":");
    const mounted = join(root, controller);
    const folder = existsSync(join(mounted, path, "cgroup.procs")) ? join(mounted, path) : mounted;
    accessSync(folder, constants.W_OK);
    return folder;
  };
  const [memory, pids, cpuacct] = controllers.map(folderOf) as [string, string, string];
  return { version: 1, folders: { memory, pids, cpuacct } };
}

/** Files of the kernel take a value as a whole, and never grow. */
function write(folder: string, name: string, value: string | number): void {
  writeFileSync(join(folder, name), String(value), { flag: "r+" });
}

const read = (folder: string, name: string): string =>
  attempt(() => readFileSync(join(folder, name), "utf8").trim()) ?? "";

function pidsIn(folder: string): number[] {
  return read(folder, "cgroup.procs")
    .split("\n")
    .filter((line) => line !== "")
    .map(Number);
}

function fields(text: string): Map<string, number> {
  return new Map(text.split("\n").map((line) => [line.split(" ")[0] as string, Number(line.split(" ")[1])]));
}

function attempt<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch {
    return undefined;
  }
}
