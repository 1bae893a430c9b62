import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { PendingTable } from "../../../runtime/protocol/pending-table.ts";
import { RequestIds } from "../../../runtime/protocol/request-ids.ts";

test("an id that was answered, or never given out, finds nothing", () => {
  const table = new PendingTable<string>();
  table.add(7, "seven");
  // The same place, and the last one.
  table.add(23, "twenty-three");
  table.add(15, "fifteen");
  expect([table.take(7), table.take(7), table.get(7), table.get(39)]).toEqual(["seven", ...Array(3).fill(undefined)]);
  expect([table.get(23), [...table], table.size]).toEqual(["twenty-three", ["twenty-three", "fifteen"], 2]);
  table.clear();
  expect([table.get(23), [...table], table.size]).toEqual([undefined, [], 0]);
});

test("it holds what a Map would, whatever comes and goes", () => {
  const step = fc.oneof(fc.nat(40), fc.constant(-1));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), fc.boolean(), (steps, close) => {
      const table = new PendingTable<number>();
      const map = new Map<number, number>();
      const ids = new RequestIds(Int32Array.of(5, 6, 7, 8));
      for (const [index, at] of steps.entries()) {
        const known = [...map.keys()][at];
        if (known === undefined) {
          // Ids that share places are the hard case.
          const id = close ? index * 16 + 1 + (index % 3) : ids.next();
          table.add(id, index);
          map.set(id, index);
        } else {
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
