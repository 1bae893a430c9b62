import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import type { Limits } from "../../../runtime/config/schema/index.ts";
import type { ProcessTree } from "../../../runtime/host/process-tree.ts";
import { LimitWatch } from "../../../runtime/orchestrator/limit-watch.ts";

const mib = 2 ** 20;
const trees = new Map<number, ProcessTree>();
const none: ProcessTree = { seconds: 0, bytes: 0, pids: [] };
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
  watch = new LimitWatch({ read, everyMs: 100 });
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
  trees.set(1, { seconds: 10, bytes: 100 * mib, pids: [1, 2] });
  jest.advanceTimersByTime(100);
  expect([ended, watch.shares()]).toEqual([[], [["server-1", 1]]]);
  trees.set(1, { seconds: 11, bytes: 250 * mib, pids: [1, 2, 3] });
  jest.advanceTimersByTime(1000);
  expect(ended).toEqual([[{ limit: "memoryMiB", used: 250, max: 100 }, [1, 2, 3]]]);
  expect([reads, watch.shares()]).toEqual([2, []]);
});

test.each<[string, Limits, ProcessTree, object]>([
  ["memory", { memoryMiB: 10 }, { ...none, bytes: 10 * mib + 1 }, { limit: "memoryMiB", used: 11, max: 10 }],
  ["processes", { processes: 1 }, { ...none, pids: [1, 2] }, { limit: "processes", used: 2, max: 1 }],
  ["CPU time", { cpuSeconds: 5 }, { ...none, seconds: 5.01 }, { limit: "cpuSeconds", used: 6, max: 5 }],
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
