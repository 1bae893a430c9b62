import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { victims } from "../../../../runtime/performance/pools/eviction.ts";
import { evictionPolicies } from "../../../../runtime/performance/pools/index.ts";

const connections = [
  { name: "oldest", openedAt: 1, lastUsedAt: 9, uses: 5, bytes: 10 },
  { name: "least recent", openedAt: 2, lastUsedAt: 3, uses: 7, bytes: 20 },
  { name: "least used", openedAt: 3, lastUsedAt: 8, uses: 1, bytes: 30 },
  { name: "heaviest", openedAt: 4, lastUsedAt: 7, uses: 9, bytes: 99 },
];

test.each([
  ["lru", "least recent"],
  ["lfu", "least used"],
  ["fifo", "oldest"],
  ["size", "heaviest"],
] as const)("%s: the %s one goes first", (policy, name) => {
  expect(victims(connections, 1, policy, Math.random)[0]?.name).toBe(name);
});

test("random takes whichever the dice say, each once", () => {
  const dice = [0.99, 0, 0.5];
  const chosen = victims(connections, 3, "random", () => dice.shift() as number);
  expect(chosen.map(({ name }) => name)).toEqual(["heaviest", "oldest", "least used"]);
});

test("no policy takes more than asked, or one twice", () => {
  const policy = fc.constantFrom(...evictionPolicies);
  fc.assert(
    fc.property(policy, fc.integer({ min: -1, max: 6 }), (name, count) => {
      const chosen = victims(connections, count, name, Math.random);
      expect(chosen).toHaveLength(Math.min(4, Math.max(0, count)));
      expect(new Set(chosen).size).toBe(chosen.length);
    }),
  );
});
