import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import type { Limits } from "../../../runtime/config/schema/index.ts";
import type { InstanceCgroup } from "../../../runtime/host/instance-cgroup.ts";
import type { ProcessTree } from "../../../runtime/host/process-tree.ts";
import { LimitWatch } from "../../../runtime/orchestrator/limit-watch.ts";

const mib = 2 ** 20;
const trees = new Map<number, ProcessTree>();
const none: ProcessTree = { seconds: 0, bytes: 0, pids: [], members: [] };
/** A tree of one process whose children used this much CPU time. */
const treeOf = (pids: number[], bytes = 0, seconds = 0): ProcessTree => ({
  pids,
  bytes,
  seconds,
  members: [{ pid: 1, parent: 0, startedAt: "100", own: seconds, children: 0 }],
});
let reads: number;
let watch: LimitWatch;
let ended: unknown[][];
beforeEach(() => {
  jest.useFakeTimers();
  trees.clear();
  reads = 0;
  ended = [];
  const read = () => {
    reads += 1;
    return { treeOf: (pid: number) => trees.get(pid) ?? none };
  };
  watch = new LimitWatch({ read, hidden: () => 0, uptime: () => 1000, everyMs: 100 });
});
afterEach(() => {
  jest.useRealTimers();
});

const add = (pid: number, limits: Limits, besides = 0) =>
  watch.add(pid, {
    ...{ server: `server-${pid}`, limits, besides },
    onOver: (excess, pids) => ended.push([excess, pids]),
  });

test("an instance is ended once, for the limit that it is farthest over", () => {
  add(1, { memoryMiB: 100, processes: 2, cpuSeconds: 10 });
  trees.set(1, treeOf([1, 2], 100 * mib, 10));
  jest.advanceTimersByTime(100);
  expect([ended, watch.shares()]).toEqual([[], [["server-1", 1]]]);
  trees.set(1, treeOf([1, 2, 3], 250 * mib, 11));
  jest.advanceTimersByTime(1000);
  expect(ended).toEqual([[{ limit: "memoryMiB", used: 250, max: 100 }, [1, 2, 3]]]);
  expect([reads, watch.shares()]).toEqual([2, []]);
});

test.each<[string, Limits, ProcessTree, object]>([
  ["memory", { memoryMiB: 10 }, { ...none, bytes: 10 * mib + 1 }, { limit: "memoryMiB", used: 11, max: 10 }],
  ["processes", { processes: 1 }, { ...none, pids: [1, 2] }, { limit: "processes", used: 2, max: 1 }],
  ["CPU time", { cpuSeconds: 5 }, treeOf([1], 0, 5.01), { limit: "cpuSeconds", used: 6, max: 5 }],
])("%s", (_name, limits, tree, excess) => {
  add(1, limits);
  trees.set(1, tree);
  watch.look();
  expect(ended).toEqual([[excess, tree.pids]]);
});

test("processes that are not the server's own do not count", () => {
  add(1, { processes: 1 }, 2);
  trees.set(1, { ...none, pids: [1, 2, 3] });
  watch.look();
  expect(ended).toEqual([]);
  trees.set(1, { ...none, pids: [1, 2, 3, 4] });
  watch.look();
  expect(ended).toEqual([[{ limit: "processes", used: 2, max: 1 }, [1, 2, 3, 4]]]);
});

test("one look measures all of them; without any there is none", () => {
  jest.advanceTimersByTime(1000);
  expect([reads, jest.getTimerCount()]).toEqual([0, 0]);
  add(1, { memoryMiB: 10 });
  add(2, { openFiles: 64 });
  trees.set(1, { ...none, bytes: 5 * mib });
  jest.advanceTimersByTime(100);
  expect([reads, watch.shares()]).toEqual([
    1,
    [
      ["server-1", 0.5],
      ["server-2", 0],
    ],
  ]);
  watch.remove(1);
  watch.remove(2);
  expect(jest.getTimerCount()).toBe(0);
});

test("memory that is in no process counts, and is looked for only where memory is bounded", () => {
  const asked: unknown[] = [];
  const hidden = (pids: readonly number[], inMemory: readonly string[]) => {
    asked.push([pids, inMemory]);
    return 300 * mib;
  };
  watch = new LimitWatch({ read: () => ({ treeOf: () => treeOf([1, 2], mib) }), hidden, uptime: () => 1000 });
  const onOver = (excess: object, pids: readonly number[]) => ended.push([excess, pids]);
  watch.add(1, { server: "a", limits: { processes: 9 }, besides: 0, onOver });
  watch.look();
  expect(asked).toEqual([]);
  watch.add(2, { server: "b", limits: { memoryMiB: 200 }, besides: 0, inMemory: ["/tmp"], onOver });
  watch.look();
  expect([asked, ended]).toEqual([[[[1, 2], ["/tmp"]]], [[{ limit: "memoryMiB", used: 301, max: 200 }, [1, 2]]]]);
  watch.remove(1);
});

test("a control group says what its instance uses, and /proc is not read", () => {
  const usage = { bytes: 10 * mib, seconds: 3, pids: [7, 8] };
  const group = { read: () => usage, outOfMemory: false } as unknown as InstanceCgroup;
  const watched = { server: "a", limits: { cpuSeconds: 2 }, besides: 0, group };
  watch.add(7, { ...watched, onOver: (excess, pids) => ended.push([excess, pids]) });
  watch.look();
  expect([reads, ended]).toEqual([0, [[{ limit: "cpuSeconds", used: 3, max: 2 }, [7, 8]]]]);
});

test("what the kernel has ended for want of memory was over its limit", () => {
  const group = { read: () => ({ bytes: 0, seconds: 0, pids: [] }), outOfMemory: true } as unknown as InstanceCgroup;
  const watched = { server: "a", besides: 0, group, onOver: () => {} };
  watch.add(7, { ...watched, limits: { memoryMiB: 200 } });
  watch.add(8, { ...watched, limits: { cpuSeconds: 200 } });
  expect([watch.remove(7), watch.remove(8), watch.remove(9)]).toEqual([
    { limit: "memoryMiB", used: 225, max: 200 },
    undefined,
    undefined,
  ]);
});
