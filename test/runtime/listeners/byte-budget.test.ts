import { expect, test } from "@jest/globals";
import { ByteBudget, type BytesOf, Holding, smallBytes } from "../../../runtime/listeners/byte-budget.ts";

const mega = 1024 * 1024;

function open(max: number) {
  const ended: string[] = [];
  const told: [BytesOf, number][] = [];
  const budget = new ByteBudget(max, (of, bytes) => told.push([of, bytes]));
  const holder = (name: string, of: BytesOf = "messages") => new Holding(budget, of, () => ended.push(name));
  return { budget, holder, ended, told };
}

test("past the bound the holder of most bytes is ended, and nobody else", () => {
  const { budget, holder, ended, told } = open(4 * mega);
  const [small, large, late] = [holder("small"), holder("large", "answers"), holder("late")];
  small.set(mega);
  large.set(2 * mega);
  late.set(mega);
  expect(ended).toEqual([]);
  late.set(1.5 * mega);
  expect([ended, told]).toEqual([["large"], [["answers", 2 * mega]]]);
  expect(budget.use).toEqual({ size: 2.5 * mega, max: 4 * mega });
});

test("as many are ended as it takes, each once", () => {
  const { budget, holder, ended } = open(2 * mega);
  const all = ["a", "b", "c", "d"].map((name) => holder(name));
  for (const holding of all) holding.set(0.5 * mega);
  const huge = holder("huge", "calls");
  huge.end = undefined;
  huge.set(1.5 * mega);
  expect(ended).toEqual(["a", "b", "c"]);
  all[0]?.set(mega);
  expect(ended).toEqual(["a", "b", "c", "d"]);
  expect(budget.use.size).toBe(2.5 * mega);
});

test("few bytes are not counted, and bytes that are free again are not either", () => {
  const { budget, holder } = open(mega);
  const holding = holder("a");
  holding.set(smallBytes);
  expect(budget.use.size).toBe(0);
  holding.set(smallBytes + 1);
  expect(budget.use.size).toBe(smallBytes + 1);
  holding.set(0);
  expect(budget.use.size).toBe(0);
});

test("a holder that has been read in the meantime is not ended for what it had", () => {
  const { budget, ended, holder } = open(2 * mega);
  let left = 1.5 * mega;
  const slow = new Holding(
    budget,
    "answers",
    () => ended.push("slow"),
    () => left,
  );
  slow.set(left);
  left = 0;
  holder("next").set(1.5 * mega);
  expect([ended, budget.use.size]).toEqual([[], 1.5 * mega]);
});
