import { expect, test } from "@jest/globals";
import { spreadOf } from "./spread.ts";

test("a spread is the median with the least and the most, whatever the order", () => {
  expect(spreadOf([3, 1, 40, 2, 5])).toEqual({ median: 3, least: 1, most: 40 });
});
