import type { Logger } from "pino";
import type { Limits } from "../config/schema/index.ts";
import { type InstanceCgroup, InstanceCgroups } from "../host/instance-cgroup.ts";
import { hardMemoryMiB } from "./limit-watch.ts";

/** Threads are tasks too, and a runtime starts dozens: the gateway counts processes, and the kernel stops what breeds faster than it looks. */
const tasksPerProcess = 128;
/** How often, and how many times, a group is removed whose last process has not ended for good. */
const removal = { everyMs: 50, times: 40 };

/** Control groups of instances with limits, where this machine lets the gateway make them. */
export class InstanceGroups {
  readonly #log: Logger;
  readonly #open: () => InstanceCgroups | string;
  #groups: InstanceCgroups | string | undefined;

  constructor(log: Logger, open = () => InstanceCgroups.open()) {
    this.#log = log;
    this.#open = open;
  }

  /** A group for an instance; undefined when none of its limits needs one, or none can be had. */
  for({ memoryMiB, processes, cpuSeconds }: Limits): InstanceCgroup | undefined {
    if ((memoryMiB ?? processes ?? cpuSeconds) === undefined) return undefined;
    this.#groups ??= this.#opened();
    if (typeof this.#groups === "string") return undefined;
    try {
      return this.#groups.make({
        memoryBytes: memoryMiB && hardMemoryMiB(memoryMiB) * 2 ** 20,
        tasks: processes && processes * tasksPerProcess,
      });
    } catch (error) {
      this.#log.warn({ err: error }, "a server with limits gets no control group: it is measured by /proc");
      return undefined;
    }
  }

  /** Ends what is left in a group, and removes it. */
  async end(group: InstanceCgroup): Promise<void> {
    for (let time = 0; time < removal.times; time += 1) {
      group.kill();
      if (group.remove()) return;
      await new Promise((resolve) => setTimeout(resolve, removal.everyMs));
    }
    this.#log.warn({ groups: group.joins }, "a control group could not be removed");
  }

  #opened(): InstanceCgroups | string {
    const groups = this.#open();
    if (typeof groups !== "string") {
      this.#log.info("limits are held by control groups: all memory, processes and CPU time of a server count");
    } else {
      const uncovered = [
        "files in memory that were sent on or only mapped",
        "memory of System V",
        "files in the machine's own /dev/shm",
        "CPU time of children that no look has seen and no parent has waited for (estimated)",
        "processes that have left parent and session between two looks",
      ];
      const text =
        "limits are measured by /proc, for there are no control groups; not counted is what `uncovered` lists";
      this.#log.warn({ why: groups, uncovered }, text);
    }
    return groups;
  }
}
