import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { floors, growth, slope } from "../bench/trend.ts";

test("a trend is the slope of the line after the warm-up, not a difference of two samples", () => {
  expect([slope([1, 3, 5, 7]), slope([5, 5, 5]), slope([7])]).toEqual([2, 0, 0]);
  // A warm-up to 90 and then a sawtooth is no growth; one more each time is.
  const settled = Array.from({ length: 60 }, (_, index) => (index < 20 ? index * 4.5 : 90 + (index % 2)));
  expect(Math.abs(growth(settled))).toBeLessThan(1);
  expect(growth(settled.map((value, index) => value + index))).toBeGreaterThan(38);
  expect(floors([5, 3, 9, 8, 7, 6, 1], 3)).toEqual([3, 6]);
});

test("half a minute of sessions that come and go leaves no trend of sessions, descriptors, handles, children or heap", () => {
  const script = join(import.meta.dirname, "../bench/soak.ts");
  const out = execFileSync(process.execPath, [script, "--seconds", "30"], { encoding: "utf8" });
  const { sessions, wrong, lines } = JSON.parse(out);
  expect([sessions > 100, wrong]).toEqual([true, []]);
  expect(lines.map(({ name, ok }: { name: string; ok: boolean }) => [name, ok])).toEqual([
    ["sessions", true],
    ["descriptors", true],
    ["handles", true],
    ["children", true],
    ["heapMb", true],
  ]);
});
