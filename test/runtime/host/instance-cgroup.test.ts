import { spawn } from "node:child_process";
import { once } from "node:events";
import { basename, dirname } from "node:path";
import { beforeEach, expect, test } from "@jest/globals";
import { InstanceCgroups } from "../../../runtime/host/instance-cgroup.ts";
import { CgroupImitation } from "../../support/cgroup-imitation.ts";

const root = "/sys/fs/cgroup";
const own = "/proc/self/cgroup";
const service = `${root}/mcp.service`;
let files: CgroupImitation;
beforeEach(() => {
  files = new CgroupImitation();
  files.write(`${root}/cgroup.subtree_control`, "+cpu +memory +pids");
  files.add(service, [process.pid]);
  files.others.set(own, "0::/mcp.service\n");
  files.others.set(`/proc/${process.pid}`, "");
});
const open = () => {
  const groups = InstanceCgroups.open({ files, root, own });
  if (typeof groups === "string") throw new Error(groups);
  return groups;
};

test("a gateway whose group is left to it makes one beside its own for each instance", () => {
  const groups = open();
  expect(files.of(service).procs).toEqual([]);
  expect(files.of(`${service}/mcp-fleet-gateway`).procs).toEqual([process.pid]);
  const group = groups.make({ memoryBytes: 1000, tasks: 256 });
  const [join = ""] = group.joins;
  const place = dirname(join);
  expect(join).toMatch(new RegExp(`^${service}/mcp-fleet-${process.pid}-\\d+/cgroup\\.procs$`));
  expect(groups.left()).toEqual([basename(place)]);
  const { values } = files.of(place);
  expect(["memory.max", "memory.swap.max", "memory.oom.group", "pids.max"].map((name) => values.get(name))).toEqual([
    "1000",
    "0",
    "1",
    "256",
  ]);
  // As the next gateway of the same service finds it.
  files.others.set(own, "0::/mcp.service/mcp-fleet-gateway\n");
  expect(dirname(dirname(open().make({}).joins[0] as string))).toBe(service);
});

test("what an instance uses: memory that cannot be given back, all CPU time, all processes", () => {
  const group = open().make({});
  const folder = dirname(group.joins[0] as string);
  const place = files.of(folder);
  place.values.set("memory.stat", "anon 1000\nfile 90000\nkernel 500\nshmem 200\nslab_reclaimable 400");
  place.values.set("cpu.stat", "usage_usec 2500000\nuser_usec 1\nsystem_usec 1");
  place.procs = [7, 8];
  expect(group.read()).toEqual({ bytes: 1300, seconds: 2.5, pids: [7, 8] });
  expect(group.outOfMemory).toBe(false);
  place.values.set("memory.events", "low 0\nhigh 0\nmax 3\noom 1\noom_kill 1\noom_group_kill 1");
  expect(group.outOfMemory).toBe(true);
  expect(group.remove()).toBe(false);
  group.kill();
  expect([group.remove(), files.exists(folder)]).toEqual([true, false]);
});

test("what a killed gateway has left is ended and removed; that of a living one is not", () => {
  open();
  files.add(`${service}/mcp-fleet-999999999-1`, [7]);
  files.add(`${service}/mcp-fleet-1-1`, [8]);
  files.others.set("/proc/1", "");
  open();
  expect(files.list(service).filter((name) => name.startsWith("mcp-fleet-"))).toEqual([
    "mcp-fleet-gateway",
    "mcp-fleet-1-1",
  ]);
});

test.each<[string, () => void, string]>([
  ["a stranger is in the group", () => files.of(service).procs.push(1), `other processes are in ${service} too`],
  [
    "there is no controller",
    () => {
      files = new CgroupImitation("cpu pids");
      files.others.set(own, "0::/\n");
    },
    `${root} has no controller "memory"`,
  ],
  ["there are no control groups", () => files.others.delete(own), `ENOENT: /proc/self`],
])("when %s, the reason is given", (_what, change, reason) => {
  change();
  expect(InstanceCgroups.open({ files, root, own })).toBe(reason);
});

test("the controllers of a group with the gateway's own children go on to its instances", async () => {
  const child = spawn("sleep", ["60"], { stdio: "ignore" });
  await once(child, "spawn");
  files.of(service).procs.push(child.pid as number);
  open();
  expect(files.of(`${service}/mcp-fleet-gateway`).procs).toEqual([process.pid, child.pid]);
  child.kill();
  await once(child, "exit");
});
