import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { SlotTable } from "../../../runtime/protocol/slot-table.ts";

test("a late id finds nothing, though its slot is used again", () => {
  const table = new SlotTable<string>();
  const [one, two] = [table.add("one"), table.add("two")];
  expect([one, two]).toEqual([1, 2]);
  expect(table.take(one)).toBe("one");
  const three = table.add("three");
  expect(three).toBe(2 ** 20 + 1);
  expect([table.get(one), table.take(one), table.get(three), [...table], table.size]).toEqual([
    undefined,
    undefined,
    "three",
    ["two", "three"],
    2,
  ]);
  expect([table.get("1"), table.get(0), table.get(-1), table.get(1.5), table.get(99), table.get(null)]).toEqual(
    Array(6).fill(undefined),
  );
});

test("it holds what a Map would, whatever comes and goes", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20), { maxLength: 200 }), (steps) => {
      const table = new SlotTable<number>();
      const map = new Map<number, number>();
      for (const [index, step] of steps.entries()) {
        const known = [...map.keys()][step];
        if (known === undefined) map.set(table.add(index), index);
        else {
          expect(table.take(known)).toBe(map.get(known));
          map.delete(known);
        }
      }
      expect(table.size).toBe(map.size);
      expect([...table]).toEqual([...map.values()]);
      for (const [id, value] of map) expect(table.get(id)).toBe(value);
    }),
    { seed: 3 },
  );
});
