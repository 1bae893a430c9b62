import { expect, test } from "@jest/globals";
import { fuzz } from "./fuzz.ts";

test("hostile messages get errors, and nobody else notices", async () => {
  const { sent, wrong, statuses, overTcp, overWebSocket, broken, left } = await fuzz(3000, 20_260_728, () => {});
  expect(wrong).toEqual([]);
  expect({ sent, broken, left }).toEqual({ sent: 3000, broken: 120, left: 0 });
  expect(Object.keys(statuses)).toEqual(expect.arrayContaining(["200", "202", "400", "403", "404", "413", "415"]));
  expect([overTcp > 500, overWebSocket > 500]).toEqual([true, true]);
});
