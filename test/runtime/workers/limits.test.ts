import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { getHeapStatistics } from "node:v8";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { byteBound, connectionBound, readLimits, sessionBound, workerCount } from "../../../runtime/workers/limits.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "limits-"));
});
afterEach(() => rmSync(root, { recursive: true }));

function files(contents: Record<string, string>): void {
  for (const [path, text] of Object.entries(contents)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), `${text}\n`);
  }
}
const descriptors = {
  limits:
    "Limit                     Soft Limit           Hard Limit           Units\nMax open files            1024                 4096                 files",
};
const read = () => readLimits(root, join(root, "limits"));

test("a control group of the second version: half a core, 512 MiB", () => {
  files({
    ...descriptors,
    "cgroup.controllers": "cpu memory",
    "cpu.max": "50000 100000",
    "cpu.stat": "usage_usec 1",
    "memory.max": "536870912",
    "memory.current": "1",
    "memory.stat": "",
  });
  expect(read()).toEqual({ cores: 0.5, memoryBytes: 536_870_912, descriptors: 1024 });
});

test("a control group of the first version: one core, 256 MiB", () => {
  files({
    "cpu/cpu.cfs_quota_us": "100000",
    "cpu/cpu.cfs_period_us": "100000",
    "cpuacct/cpuacct.usage": "1",
    "memory/memory.limit_in_bytes": "268435456",
    "memory/memory.usage_in_bytes": "1",
    "memory/memory.stat": "",
  });
  expect(read()).toEqual({ cores: 1, memoryBytes: 268_435_456, descriptors: undefined });
});

test("no limits: the machine's cores", () => {
  files({ "cgroup.controllers": "cpu memory", "cpu.max": "max 100000", "memory.max": "max" });
  const { cores, ...rest } = read();
  expect([Number.isInteger(cores), cores >= 1, rest]).toEqual([
    true,
    true,
    { memoryBytes: undefined, descriptors: undefined },
  ]);
});

test("workers: as many as the configuration says, or one for each whole core", () => {
  const limits = { memoryBytes: undefined, descriptors: undefined };
  const auto = [0.5, 1, 1.9, 4].map((cores) => workerCount("auto", { ...limits, cores }));
  expect([auto, workerCount(3, { ...limits, cores: 1 })]).toEqual([[1, 1, 1, 4], 3]);
});

test("sessions follow the memory, connections the file descriptors", () => {
  const limits = { cores: 1, memoryBytes: undefined, descriptors: undefined };
  expect([sessionBound(10_000, 1, limits), sessionBound(10_000, 4, limits)]).toEqual([10_000, 2500]);
  // A quarter of 256 MiB holds 2048 sessions of 32 KiB.
  const small = { ...limits, memoryBytes: 256 * 1024 * 1024 };
  expect([sessionBound(10_000, 1, small), sessionBound(10_000, 2, small), sessionBound(100, 1, small)]).toEqual([
    2048, 1024, 100,
  ]);
  expect([connectionBound(limits), connectionBound({ ...limits, descriptors: 1024 })]).toEqual([undefined, 460]);
});

test("a process holds as many bytes for its clients as it is told, or a quarter of its worker's memory, and never more than half of the heap", () => {
  const mega = 1024 * 1024;
  const heap = getHeapStatistics().heap_size_limit;
  const limits = { cores: 1, memoryBytes: 256 * mega, descriptors: undefined };
  expect(byteBound(5 * mega, 2, limits)).toBe(5 * mega);
  expect(byteBound(undefined, 1, limits)).toBe(64 * mega);
  expect(byteBound(undefined, 4, limits)).toBe(16 * mega);
  expect(byteBound(undefined, 1, { ...limits, memoryBytes: 1e15 })).toBe(Math.floor(heap / 2));
});
