import { expect, test } from "@jest/globals";
import type { ProcessTree } from "../../../runtime/host/process-tree.ts";
import { ResourceNeed, resourceNeedOf } from "../../../runtime/registry/resource-need.ts";

const mib = 2 ** 20;

/** Processes that use so much of a processor and of memory, looked at every five seconds. */
function machine(targets: { cpuPercent?: number; memoryPercent?: number }) {
  const clock = { time: 0 };
  const usage = new Map<number, { cpu: number; mib: number }>();
  const seconds = new Map<number, number>();
  let looks = 0;
  const treeOf = (pid: number): ProcessTree => {
    const bytes = (usage.get(pid)?.mib ?? 0) * mib;
    return { seconds: seconds.get(pid) ?? 0, bytes, members: [], pids: [pid] };
  };
  const need = new ResourceNeed({
    cpuPercent: targets.cpuPercent,
    memoryPercent: targets.memoryPercent,
    memoryBytes: 100 * mib,
    now: () => clock.time,
    read: () => {
      looks += 1;
      return { treeOf };
    },
  });
  const after = (ms: number, used: Record<number, { cpu: number; mib: number }>): number => {
    clock.time += ms;
    for (const [pid, one] of Object.entries(used)) {
      usage.set(Number(pid), one);
      seconds.set(Number(pid), (seconds.get(Number(pid)) ?? 0) + (one.cpu / 100) * (ms / 1000));
    }
    return need.of(Object.keys(used).map(Number));
  };
  return { after, looks: () => looks };
}

test("processes that use twice their target of a processor need as many again", () => {
  const { after } = machine({ cpuPercent: 50 });
  expect(after(5000, { 1: { cpu: 100, mib: 1 } })).toBe(0);
  expect(after(5000, { 1: { cpu: 100, mib: 1 } })).toBe(2);
  expect(after(5000, { 1: { cpu: 90, mib: 1 }, 2: { cpu: 90, mib: 1 } })).toBe(4);
  expect(after(5000, { 1: { cpu: 10, mib: 1 }, 2: { cpu: 10, mib: 1 } })).toBe(1);
});

test("a load within a tenth of the target changes nothing", () => {
  const { after } = machine({ cpuPercent: 50 });
  after(5000, { 1: { cpu: 54, mib: 1 }, 2: { cpu: 54, mib: 1 } });
  expect(after(5000, { 1: { cpu: 54, mib: 1 }, 2: { cpu: 54, mib: 1 } })).toBe(2);
});

test("memory counts at the first look, and the fuller of the two decides", () => {
  const { after } = machine({ cpuPercent: 50, memoryPercent: 50 });
  expect(after(5000, { 1: { cpu: 0, mib: 75 }, 2: { cpu: 0, mib: 75 } })).toBe(3);
  expect(after(5000, { 1: { cpu: 100, mib: 10 }, 2: { cpu: 100, mib: 10 } })).toBe(4);
});

test("the machine is read once in five seconds, however many calls there are", () => {
  const { after, looks } = machine({ cpuPercent: 50 });
  for (let second = 0; second < 9; second += 1) after(1000, { 1: { cpu: 100, mib: 1 } });
  expect(looks()).toBe(1);
});

test("a server without targets is not measured, and one with a target is named where nothing can be read", () => {
  const scaling = { minInstances: 1, maxInstances: 4, targetInFlight: 16 };
  expect(resourceNeedOf({ name: "a", scaling }, () => 0)).toBeUndefined();
  expect(resourceNeedOf({ name: "a", scaling: { ...scaling, targetCpuPercent: 70 } }, () => 0)).toBeInstanceOf(
    ResourceNeed,
  );
});
