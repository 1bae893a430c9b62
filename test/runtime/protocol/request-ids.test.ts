import { expect, test } from "@jest/globals";
import { RequestIds } from "../../../runtime/protocol/request-ids.ts";

test("ids fit 31 bits, none comes twice, and one does not tell the next", () => {
  const ids = new RequestIds(Int32Array.of(1, 2, 3, 4));
  const given = Array.from({ length: 100_000 }, () => ids.next());
  expect(new Set(given).size).toBe(given.length);
  expect(given.every((id) => Number.isInteger(id) && id >= 1 && id <= 2 ** 30)).toBe(true);
  const steps = given.slice(1).map((id, index) => id - (given[index] as number));
  expect(new Set(steps).size).toBeGreaterThan(90_000);
});

test("two endpoints give out different ids", () => {
  const [one, other] = [new RequestIds(), new RequestIds()];
  const ofOne = new Set(Array.from({ length: 100 }, () => one.next()));
  expect(Array.from({ length: 100 }, () => other.next()).filter((id) => ofOne.has(id))).toEqual([]);
});
