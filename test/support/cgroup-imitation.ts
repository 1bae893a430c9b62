import { dirname, join } from "node:path";
import type { CgroupFiles } from "../../runtime/host/cgroup-files.ts";

const root = "/sys/fs/cgroup";
const failure = (code: string, path: string) => Object.assign(new Error(`${code}: ${path}`), { code });

interface Group {
  readonly values: Map<string, string>;
  procs: number[];
}

/** Files of each controller, with what they hold at first (Documentation/admin-guide/cgroup-v2.rst). */
const ofController: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  memory: {
    "memory.max": "max",
    "memory.swap.max": "max",
    "memory.oom.group": "0",
    "memory.stat": "anon 0\nfile 0\nkernel 0\nshmem 0\nslab_reclaimable 0",
    "memory.events": "low 0\nhigh 0\nmax 0\noom 0\noom_kill 0\noom_group_kill 0",
  },
  pids: { "pids.max": "max", "pids.events": "max 0" },
};

/**
 * Control groups of the second version as the kernel keeps them: files come with their group and its controllers,
 * controllers reach a group only from the one above, and a group that gives controllers to others holds no process
 * ("no internal process constraint").
 */
export class CgroupImitation implements CgroupFiles {
  readonly #groups = new Map<string, Group>();
  /** Files besides those of groups. */
  readonly others = new Map<string, string>();

  constructor(controllers = "cpuset cpu io memory hugetlb pids") {
    this.#groups.set(root, this.#group(controllers));
  }

  /** A group, with its processes. */
  add(path: string, procs: number[] = []): void {
    this.make(path);
    this.of(path).procs = procs;
  }

  of(path: string): Group {
    const group = this.#groups.get(path);
    if (group === undefined) throw failure("ENOENT", path);
    return group;
  }

  exists(path: string): boolean {
    return (
      this.others.has(path) ||
      this.#groups.has(path) ||
      this.#groups.get(dirname(path))?.values.has(this.#name(path)) === true
    );
  }

  checkWritable(folder: string): void {
    this.of(folder);
  }

  list(folder: string): string[] {
    const beneath = [...this.#groups.keys()].filter((path) => dirname(path) === folder && path !== folder);
    return [...this.of(folder).values.keys(), ...beneath.map((path) => this.#name(path))];
  }

  read(path: string): string {
    const other = this.others.get(path);
    if (other !== undefined) return other;
    const group = this.of(dirname(path));
    if (this.#name(path) === "cgroup.procs") return group.procs.map((pid) => `${pid}\n`).join("");
    const value = group.values.get(this.#name(path));
    if (value === undefined) throw failure("ENOENT", path);
    return `${value}\n`;
  }

  write(path: string, value: string): void {
    const folder = dirname(path);
    const group = this.of(folder);
    const name = this.#name(path);
    if (!group.values.has(name)) throw failure("ENOENT", path);
    if (["memory.stat", "memory.events", "pids.events", "cpu.stat", "cgroup.controllers"].includes(name))
      throw failure("EACCES", path);
    if (name === "cgroup.procs") this.#move(Number(value), folder);
    else if (name === "cgroup.subtree_control") this.#enable(folder, value);
    else if (name === "cgroup.kill") {
      if (value !== "1") throw failure("EINVAL", path);
      group.procs = [];
    } else {
      if (!/^(max|\d+)$/.test(value)) throw failure("EINVAL", path);
      group.values.set(name, value);
    }
  }

  make(folder: string): void {
    if (this.#groups.has(folder)) throw failure("EEXIST", folder);
    this.#groups.set(folder, this.#group(this.#enabled(this.of(dirname(folder)))));
  }

  remove(folder: string): void {
    if (this.of(folder).procs.length > 0 || this.list(folder).some((name) => this.#groups.has(join(folder, name))))
      throw failure("EBUSY", folder);
    this.#groups.delete(folder);
  }

  #group(controllers: string): Group {
    const files = controllers.split(" ").flatMap((one) => Object.entries(ofController[one] ?? {}));
    const core = {
      "cgroup.controllers": controllers,
      "cgroup.subtree_control": "",
      "cgroup.procs": "",
      "cgroup.kill": "",
      "cpu.stat": "usage_usec 0\nuser_usec 0",
    };
    return { values: new Map([...Object.entries(core), ...files]), procs: [] };
  }

  #move(pid: number, to: string): void {
    if (to !== root && this.#enabled(this.of(to)) !== "") throw failure("EBUSY", to);
    for (const group of this.#groups.values()) group.procs = group.procs.filter((one) => one !== pid);
    this.of(to).procs.push(pid);
  }

  #enable(folder: string, value: string): void {
    const group = this.of(folder);
    if (folder !== root && group.procs.length > 0) throw failure("EBUSY", folder);
    const offered = (group.values.get("cgroup.controllers") as string).split(" ");
    const wanted = value.split(" ").map((one) => one.slice(1));
    if (!value.split(" ").every((one) => one.startsWith("+")) || !wanted.every((one) => offered.includes(one)))
      throw failure("ENOENT", value);
    group.values.set("cgroup.subtree_control", wanted.join(" "));
  }

  #enabled(group: Group): string {
    return group.values.get("cgroup.subtree_control") as string;
  }

  #name(path: string): string {
    return path.slice(path.lastIndexOf("/") + 1);
  }
}
