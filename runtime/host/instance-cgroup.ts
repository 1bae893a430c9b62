import { accessSync, constants } from "node:fs";
import { basename, dirname, join } from "node:path";
import { type CgroupFiles, kernelFiles } from "./cgroup-files.ts";
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
  readonly files: CgroupFiles;
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
  /** Every group that this process has made. */
  static #made = 0;
  readonly #site: Site;

  private constructor(site: Site) {
    this.#site = site;
  }

  /** The reason in its place when this process cannot make control groups. */
  static open({
    files = kernelFiles,
    root = "/sys/fs/cgroup",
    own = "/proc/self/cgroup",
  } = {}): InstanceCgroups | string {
    if (process.platform !== "linux") return "this is not Linux";
    try {
      accessSync("/bin/sh", constants.X_OK);
    } catch {
      return "there is no /bin/sh, with which a process joins its group";
    }
    try {
      const lines = files.read(own).trim().split("\n");
      const v2 = files.exists(join(root, "cgroup.controllers"));
      const site = v2 ? second(files, root, lines) : first(files, root, lines);
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
    InstanceCgroups.#made += 1;
    const { files, folders, version } = this.#site;
    const name = `${prefix}${process.pid}-${InstanceCgroups.#made}`;
    const all = controllers.map((controller) => join(folders[controller], name));
    const [memory, pids, cpuacct] = all as [string, string, string];
    const group = new InstanceCgroup({ files, version, folders: { memory, pids, cpuacct } });
    try {
      for (const folder of new Set(all)) files.make(folder);
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
    const names = this.#site.files.list(this.#site.folders.memory);
    return names.filter((name) => name.startsWith(prefix) && /^\d+-\d+$/.test(name.slice(prefix.length)));
  }

  /** Ends what gateways that were killed have left, and removes their groups. */
  sweep(): void {
    const { files, folders, version } = this.#site;
    for (const name of this.#names()) {
      if (files.exists(`/proc/${name.split("-")[2]}`)) continue;
      const [memory, pids, cpuacct] = controllers.map((one) => join(folders[one], name)) as [string, string, string];
      const group = new InstanceCgroup({ files, version, folders: { memory, pids, cpuacct } });
      group.kill();
      group.remove();
    }
  }
}

/** The control group of one instance. */
export class InstanceCgroup {
  readonly #site: Site;

  constructor(site: Site) {
    this.#site = site;
  }

  /** Files to which a process writes 0 to join. */
  get joins(): readonly string[] {
    return this.#all().map((folder) => join(folder, "cgroup.procs"));
  }

  limit({ memoryBytes, tasks }: CgroupLimits): void {
    const { files, version, folders } = this.#site;
    const { memory, pids } = folders;
    const set = (folder: string, name: string, value: number) => files.write(join(folder, name), String(value));
    if (memoryBytes !== undefined && version === 2) {
      set(memory, "memory.max", memoryBytes);
      // Otherwise it would be slow rather than ended.
      if (files.exists(join(memory, "memory.swap.max"))) set(memory, "memory.swap.max", 0);
      set(memory, "memory.oom.group", 1);
    } else if (memoryBytes !== undefined) {
      set(memory, "memory.limit_in_bytes", memoryBytes);
      const swap = "memory.memsw.limit_in_bytes";
      if (files.exists(join(memory, swap))) set(memory, swap, memoryBytes);
    }
    if (tasks !== undefined) set(pids, "pids.max", tasks);
  }

  read(): CgroupUsage {
    const { files, version, folders } = this.#site;
    const { memory, cpuacct } = folders;
    const v2 = version === 2;
    const stat = fields(read(files, memory, "memory.stat"));
    const kernel = (stat.get("kernel") ?? stat.get("slab") ?? 0) - (stat.get("slab_reclaimable") ?? 0);
    const bytes = v2
      ? (stat.get("anon") ?? 0) + (stat.get("shmem") ?? 0) + Math.max(0, kernel)
      : (stat.get("total_rss") ?? 0) + (stat.get("total_shmem") ?? stat.get("shmem") ?? 0);
    return {
      bytes,
      seconds: v2
        ? (fields(read(files, cpuacct, "cpu.stat")).get("usage_usec") ?? 0) / 1e6
        : Number(read(files, cpuacct, "cpuacct.usage")) / 1e9,
      pids: pidsIn(files, memory),
    };
  }

  /** Has the kernel ended a process of it for want of memory? */
  get outOfMemory(): boolean {
    const { files, version, folders } = this.#site;
    const file = version === 2 ? "memory.events" : "memory.oom_control";
    return (fields(read(files, folders.memory, file)).get("oom_kill") ?? 0) > 0;
  }

  /** Kills all of its processes. Those that fork meanwhile are met in the next round. */
  kill(): void {
    const { files, version, folders } = this.#site;
    const { memory } = folders;
    const whole = join(memory, "cgroup.kill");
    if (version === 2 && files.exists(whole)) {
      attempt(() => files.write(whole, "1"));
      return;
    }
    for (let round = 0; round < 100; round += 1) {
      const pids = pidsIn(files, memory);
      if (pids.length === 0) return;
      for (const pid of pids) attempt(() => process.kill(pid, "SIGKILL"));
    }
  }

  /** Removes it; false as long as a process of it has not ended for good. */
  remove(): boolean {
    const { files } = this.#site;
    for (const folder of this.#all()) attempt(() => files.remove(folder));
    return !this.#all().some((folder) => files.exists(folder));
  }

  #all(): string[] {
    return [...new Set(Object.values(this.#site.folders))];
  }
}

/** Groups of the second version: one tree for all controllers. */
function second(files: CgroupFiles, root: string, lines: readonly string[]): Site {
  const path = lines.find((line) => line.startsWith("0::"))?.slice(4) ?? "";
  const found = files.exists(join(root, path, "cgroup.procs")) ? join(root, path) : root;
  const base = basename(found) === leaf ? dirname(found) : found;
  const offered = new Set(read(files, base, "cgroup.controllers").split(/\s+/));
  for (const controller of ["memory", "pids"]) {
    if (!offered.has(controller)) throw new Error(`${base} has no controller "${controller}"`);
  }
  const enabled = new Set(read(files, base, "cgroup.subtree_control").split(/\s+/));
  if (!enabled.has("memory") || !enabled.has("pids")) {
    const inside = pidsIn(files, base);
    const ours = new Set(ProcessTable.read().treeOf(process.pid).pids);
    if (inside.some((pid) => !ours.has(pid))) throw new Error(`other processes are in ${base} too`);
    // A group whose children have controllers has no processes itself.
    if (inside.length > 0 && !files.exists(join(base, leaf))) files.make(join(base, leaf));
    for (const pid of inside) files.write(join(base, leaf, "cgroup.procs"), String(pid));
    files.write(join(base, "cgroup.subtree_control"), "+memory +pids");
  }
  return { files, version: 2, folders: { memory: base, pids: base, cpuacct: base } };
}

/** Groups of the first version: one tree for each controller. */
function first(files: CgroupFiles, root: string, lines: readonly string[]): Site {
  const folderOf = (controller: Controller): string => {
    const line = lines.map((one) => one.split(":")).find(([, names]) => names?.split(",").includes(controller));
    if (line === undefined) throw new Error(`there is no controller "${controller}"`);
    const path = line.slice(2).join(":");
    const mounted = join(root, controller);
    const folder = files.exists(join(mounted, path, "cgroup.procs")) ? join(mounted, path) : mounted;
    files.checkWritable(folder);
    return folder;
  };
  const [memory, pids, cpuacct] = controllers.map(folderOf) as [string, string, string];
  return { files, version: 1, folders: { memory, pids, cpuacct } };
}

const read = (files: CgroupFiles, folder: string, name: string): string =>
  attempt(() => files.read(join(folder, name)).trim()) ?? "";

function pidsIn(files: CgroupFiles, folder: string): number[] {
  return read(files, folder, "cgroup.procs")
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
