import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { PriorityQueue } from "../../../runtime/performance/priority-queue.ts";
import { type Priority, priorities } from "../../../runtime/protocol/priority.ts";

let time = 0;
const queueOf = (more: Partial<ConstructorParameters<typeof PriorityQueue>[0]> = {}) =>
  new PriorityQueue<string>({
    ...{ maxWaiting: 1000, ageMs: 1000, minimumPercent: { high: 20, normal: 10, low: 5 }, now: () => time },
    ...more,
  });
const drain = (queue: PriorityQueue<string>) => {
  const out: string[] = [];
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) out.push(next.item);
  return out;
};

test("the most urgent goes first, and of equals the oldest", () => {
  const queue = queueOf();
  for (const priority of ["low", "normal", "critical", "high", "critical"] as const) {
    queue.push(`${priority} ${queue.size}`, priority);
  }
  expect(drain(queue)).toEqual(["critical 2", "critical 4", "high 3", "normal 1", "low 0"]);
});

test("what waits grows one level more urgent with each age, up to high", () => {
  const queue = queueOf({ minimumPercent: { high: 0, normal: 0, low: 0 } });
  time = 0;
  queue.push("old low", "low");
  time = 1000;
  queue.push("old normal", "normal");
  time = 2000;
  queue.push("new high", "high");
  queue.push("new critical", "critical");
  expect(drain(queue)).toEqual(["new critical", "old low", "old normal", "new high"]);
});

test("a full queue lets the newest of the least urgent go for a more urgent one, and refuses what is no more urgent", () => {
  const queue = queueOf({ maxWaiting: 3 });
  queue.push("first low", "low");
  queue.push("second low", "low");
  queue.push("normal", "normal");
  expect(queue.push("third low", "low")).toEqual({ entry: undefined, displaced: undefined });
  const { entry, displaced } = queue.push("critical", "critical");
  expect([entry?.item, displaced?.item, queue.size]).toEqual(["critical", "second low", 3]);
});

test("one that is taken back does not come", () => {
  const queue = queueOf();
  const { entry } = queue.push("a", "low");
  queue.push("b", "low");
  expect([queue.remove(entry as never), queue.remove(entry as never), drain(queue)]).toEqual([true, false, ["b"]]);
});

test("with critical at saturation each other level gets its minimum of any run of departures", () => {
  const shares = fc.record({
    high: fc.integer({ min: 1, max: 40 }),
    normal: fc.integer({ min: 1, max: 30 }),
    low: fc.integer({ min: 1, max: 30 }),
  });
  fc.assert(
    fc.property(
      shares,
      fc.integer({ min: 1, max: 2000 }),
      fc.array(fc.nat(3), { maxLength: 20 }),
      (percent, run, first) => {
        const queue = queueOf({ minimumPercent: percent, maxWaiting: 10_000 });
        for (const level of first) queue.push("", priorities[level] as Priority);
        const served = { critical: 0, high: 0, normal: 0, low: 0 };
        for (let departure = 0; departure < run; departure += 1) {
          // Never empty, whatever left before.
          for (const level of priorities) if (queue.length(level) === 0) queue.push("", level);
          served[(queue.shift() as { priority: Priority }).priority] += 1;
        }
        for (const level of ["high", "normal", "low"] as const) {
          // Two other levels may be owed a departure at the same time and go first.
          expect(served[level]).toBeGreaterThanOrEqual(Math.floor((run * percent[level]) / 100) - 2);
        }
      },
    ),
  );
});

test("without a minimum critical items would starve the others (what the shares are for)", () => {
  const queue = queueOf({ minimumPercent: { high: 0, normal: 0, low: 0 } });
  queue.push("low", "low");
  for (let departure = 0; departure < 500; departure += 1) {
    queue.push("critical", "critical");
    expect(queue.shift()?.item).toBe("critical");
  }
});

test("nothing is lost and nothing comes twice", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.nat(3), fc.constant("shift")), { maxLength: 300 }), (steps) => {
      const queue = queueOf();
      const waiting = new Set<string>();
      for (const [index, step] of steps.entries()) {
        time += 37;
        if (step === "shift") {
          const next = queue.shift();
          expect(next === undefined ? waiting.size === 0 : waiting.delete(next.item)).toBe(true);
        } else {
          queue.push(String(index), priorities[step as number] as Priority);
          waiting.add(String(index));
        }
      }
      expect(queue.size).toBe(waiting.size);
      expect(new Set(drain(queue))).toEqual(waiting);
    }),
  );
});
