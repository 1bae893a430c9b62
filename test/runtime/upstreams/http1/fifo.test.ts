import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { Fifo } from "../../../../runtime/upstreams/http1/fifo.ts";

test("it behaves as an array does, over many turns of its storage", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -3, max: 3000 }), { maxLength: 60 }), (steps) => {
      const fifo = new Fifo<{ readonly number: number }>();
      const array: { readonly number: number }[] = [];
      for (const step of steps) {
        if (step < 0) {
          const wanted = array[-step - 1];
          expect(fifo.remove((value) => value === wanted)).toBe(wanted !== undefined);
          if (wanted !== undefined) array.splice(-step - 1, 1);
        } else if (step % 2 === 0) {
          for (let number = 0; number < step; number += 1) {
            const value = { number };
            fifo.push(value);
            array.push(value);
          }
        } else for (let count = 0; count < step; count += 1) expect(fifo.shift()).toBe(array.shift());
        expect(fifo.size).toBe(array.length);
      }
    }),
    { seed: 5, numRuns: 30 },
  );
});
