import { expect, test } from "@jest/globals";
import type { CgroupReading } from "../../../runtime/host/cgroup.ts";
import { LoadMeter } from "../../../runtime/host/load-meter.ts";
import { readProcessTree } from "../../../runtime/host/process-tree.ts";

const machine = { cores: 4, bytes: 1000 };

test("shares of the container's limits", () => {
  let now = 0;
  let cgroup: CgroupReading = { cpu: { seconds: 10, cores: 2 }, memory: { used: 100, limit: 400 } };
  const tree = () => {
    throw new Error("the container's own figures are enough");
  };
  const meter = new LoadMeter({ now: () => now, cgroup: () => cgroup, tree, machine });
  expect(meter.load).toEqual({ cpu: 0, memory: 0.25 });
  now = 2000;
  cgroup = { cpu: { seconds: 11, cores: 2 }, memory: { used: 500, limit: 400 } };
  meter.sample();
  expect(meter.load).toEqual({ cpu: 0.25, memory: 1 });
});

test("shares of the machine where there are no limits; a sum that shrinks is no load", () => {
  let now = 0;
  let tree = { seconds: 1, bytes: 100 };
  const none = { cpu: undefined, memory: undefined };
  const meter = new LoadMeter({ now: () => now, cgroup: () => none, tree: () => tree, machine });
  now = 1000;
  tree = { seconds: 3, bytes: 500 };
  meter.sample();
  expect(meter.load).toEqual({ cpu: 0.5, memory: 0.5 });
  now = 2000;
  tree = { seconds: 2, bytes: 500 };
  meter.sample();
  expect(meter.load).toEqual({ cpu: 0, memory: 0.5 });
});

test("the process tree counts this process", () => {
  const { seconds, bytes } = readProcessTree(process.pid);
  expect(bytes).toBeGreaterThan(10_000_000);
  expect(seconds).toBeGreaterThan(0);
  expect(readProcessTree(-1)).toEqual({ seconds: 0, bytes: 0 });
});
