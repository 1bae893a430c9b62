import { expect, test } from "@jest/globals";
import { HeapTrimmer } from "../../../runtime/observability/heap-trimmer.ts";

const mb = 1024 * 1024;

test("collects once a busy time has passed, and not again before there is something new to collect", () => {
  let used = 40 * mb;
  let utilization = 0;
  let collections = 0;
  const trimmer = new HeapTrimmer({
    heapUsed: () => used,
    utilization: () => utilization,
    collect: () => {
      collections += 1;
      used = 45 * mb;
    },
  });
  const after = (heap: number, busy: number) => {
    [used, utilization] = [heap * mb, busy];
    trimmer.tend();
    return collections;
  };
  expect([after(60, 0), after(200, 0.9), after(200, 0.1), after(60, 0), after(68, 0), after(69, 0)]).toEqual([
    0, 0, 1, 1, 1, 2,
  ]);
});

test("collects for real", async () => {
  let used = 0;
  const trimmer = new HeapTrimmer({ utilization: () => 0, heapUsed: () => used });
  const made = () => new WeakRef({ large: new Array(1000).fill("x") });
  const garbage = made();
  // Within the turn that made it, a weak reference holds on.
  await new Promise((resolve) => setTimeout(resolve, 0));
  used = 100 * mb;
  trimmer.tend();
  expect(garbage.deref()).toBeUndefined();
});
