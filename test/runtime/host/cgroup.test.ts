import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { readCgroup } from "../../../runtime/host/cgroup.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "cgroup-test-"));
});
afterEach(() => rmSync(root, { recursive: true }));

function files(contents: Record<string, string>): void {
  for (const [path, text] of Object.entries(contents)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), `${text}\n`);
  }
}

test("second version: limits, and use without what the kernel gives back", () => {
  files({
    "cgroup.controllers": "cpu memory",
    "cpu.max": "150000 100000",
    "cpu.stat": "usage_usec 2500000\nuser_usec 1",
    "memory.max": "1000",
    "memory.current": "700",
    "memory.stat": "anon 1\ninactive_file 200",
  });
  expect(readCgroup(root)).toEqual({ cpu: { seconds: 2.5, cores: 1.5 }, memory: { used: 500, limit: 1000 } });
});

test("second version without limits", () => {
  files({
    "cgroup.controllers": "",
    "cpu.max": "max 100000",
    "cpu.stat": "usage_usec 1",
    "memory.max": "max",
    "memory.current": "1",
  });
  expect(readCgroup(root)).toEqual({ cpu: undefined, memory: undefined });
});

test("first version: limits, and its largest number for none", () => {
  files({
    "cpu/cpu.cfs_quota_us": "50000",
    "cpu/cpu.cfs_period_us": "100000",
    "cpuacct/cpuacct.usage": "4000000000",
    "memory/memory.limit_in_bytes": "1000",
    "memory/memory.usage_in_bytes": "100",
    "memory/memory.stat": "inactive_file 1\ntotal_inactive_file 400",
  });
  expect(readCgroup(root)).toEqual({ cpu: { seconds: 4, cores: 0.5 }, memory: { used: 0, limit: 1000 } });
  files({ "cpu/cpu.cfs_quota_us": "-1", "memory/memory.limit_in_bytes": "9223372036854771712" });
  expect(readCgroup(root)).toEqual({ cpu: undefined, memory: undefined });
});

test("a system without control groups has no limits", () => {
  expect(readCgroup(root)).toEqual({ cpu: undefined, memory: undefined });
});
