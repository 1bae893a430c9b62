import { expect, test } from "@jest/globals";
import { fuzz } from "./fuzz.ts";

test("hostile messages get errors, and nobody else notices", async () => {
  const { sent, wrong, statuses, overTcp } = await fuzz(3000, 20_260_728, () => {});
  expect(wrong).toEqual([]);
  expect(sent).toBe(3000);
  expect(Object.keys(statuses)).toEqual(expect.arrayContaining(["200", "202", "400", "404", "415"]));
  expect(overTcp).toBeGreaterThan(1000);
});
