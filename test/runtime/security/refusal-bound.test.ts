import { expect, test } from "@jest/globals";
import { RefusalBound } from "../../../runtime/security/refusal-bound.ts";

test("so many in a minute, a tenth of them from one address; the rest is counted", () => {
  let now = 1_000_000;
  const bound = new RefusalBound(30, () => now);
  const take = (address: string, times: number) =>
    Array.from({ length: times }, () => bound.take(address)).filter(Boolean).length;
  expect(take("10.0.0.1", 1000)).toBe(3);
  expect(Array.from({ length: 100 }, (_, index) => take(`10.0.1.${index}`, 1)).filter(Boolean).length).toBe(27);
  expect([bound.leftOut(), bound.leftOut()]).toEqual([997 + 73, 0]);
  now += 59_999;
  expect(take("10.0.0.2", 1)).toBe(0);
  now += 1;
  expect([take("10.0.0.1", 5), bound.leftOut()]).toEqual([3, 3]);
});

test("none when the bound is none", () => {
  const bound = new RefusalBound(0, () => 0);
  expect([bound.take("10.0.0.1"), bound.leftOut()]).toEqual([false, 1]);
});
