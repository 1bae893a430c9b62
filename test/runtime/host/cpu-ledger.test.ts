import { beforeEach, expect, test } from "@jest/globals";
import { CpuLedger } from "../../../runtime/host/cpu-ledger.ts";

let ledger: CpuLedger;
let uptime: number;
beforeEach(() => {
  ledger = new CpuLedger();
  uptime = 1000;
});

/** Each process: pid, parent, own seconds, seconds of children, age. */
type Look = [pid: number, parent: number, own: number, children: number, age?: number][];
const look = (...members: Look) => {
  uptime += 0.5;
  const seconds = ledger.add(
    members.map(([pid, parent, own, children, age = 100]) => ({
      pid,
      parent,
      own,
      children,
      startedAt: age === 100 ? "90000" : String(Math.round((uptime - age) * 100)),
    })),
    uptime,
  );
  return Math.round(seconds * 100) / 100;
};

test("a child that its parent has waited for counts once", () => {
  expect(look([1, 0, 1, 0], [2, 1, 5, 0])).toBe(6);
  expect(look([1, 0, 1, 5.2])).toBe(6.2);
  expect(look([1, 0, 1, 5.2])).toBe(6.2);
});

test("a child that nobody has waited for is not forgotten", () => {
  expect(look([1, 0, 1, 0], [2, 1, 5, 0])).toBe(6);
  expect(look([1, 0, 1.5, 0])).toBe(6.5);
  expect(look([1, 0, 2, 0])).toBe(7);
});

test("one of two that have ended was waited for", () => {
  look([1, 0, 0, 0], [2, 1, 5, 0], [3, 1, 5, 0]);
  expect(look([1, 0, 0, 5])).toBe(10.02 - 0.04);
});

test("a grandchild's time goes to the nearest ancestor that lives", () => {
  expect(look([1, 0, 0, 0], [2, 1, 1, 0], [3, 2, 4, 0])).toBe(5);
  expect(look([1, 0, 0, 5.1])).toBe(5.1);
});

test("the time of what has gone with the root is kept", () => {
  expect(look([2, 1, 3, 0])).toBe(3);
  expect(look()).toBe(3);
});

test("another process with the pid of one that has ended is another one", () => {
  expect(look([1, 0, 0, 0], [2, 1, 4, 0])).toBe(4);
  expect(look([1, 0, 0, 0], [2, 1, 0.1, 0, 0.2])).toBe(4.1);
});

test("short children whose parent ignores SIGCHLD stand for those between the looks", () => {
  look([1, 0, 0, 0]);
  // Each lives 0.2 s, always one at a time: a whole processor.
  for (let n = 0; n < 20; n += 1) look([1, 0, 0, 0], [10 + n, 1, 0.1, 0, 0.1]);
  expect(look([1, 0, 0, 0])).toBe(10);
});

test("a child that was waited for stands for nothing more", () => {
  look([1, 0, 0, 0]);
  expect(look([1, 0, 0, 0], [10, 1, 0.1, 0, 0.1])).toBe(0.1);
  expect(look([1, 0, 0, 0.2])).toBe(0.2);
});

test("processes that were there are known, with their start", () => {
  look([1, 0, 0, 0], [2, 1, 0, 0]);
  expect([...ledger.known]).toEqual([
    [1, "90000"],
    [2, "90000"],
  ]);
});
