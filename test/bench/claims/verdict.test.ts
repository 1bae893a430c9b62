import { expect, test } from "@jest/globals";
import type { Aim } from "./aims.ts";
import { claimsTable } from "./table.ts";
import { ratio, verdicts } from "./verdict.ts";

const aim = (bound: Aim["bound"], limit: number, unit = ""): Aim => ({ claim: "c", bound, limit, unit, source: "s" });
const base = { benchmark: "b", claim: "c" };

test("a limit itself meets ≤ and ≥ and not <, and what was not measured meets nothing", () => {
  const aims = { most: aim("≤", 2, "ms"), below: aim("<", 2), least: aim("≥", 2), none: aim("≤", 2) };
  expect(verdicts("b", aims, { most: 2, below: 2, least: 2 })).toEqual([
    { ...base, aim: "most", measured: 2, bound: "≤", limit: 2, unit: "ms", met: true },
    { ...base, aim: "below", measured: 2, bound: "<", limit: 2, unit: "", met: false },
    { ...base, aim: "least", measured: 2, bound: "≥", limit: 2, unit: "", met: true },
    { ...base, aim: "none", measured: undefined, bound: "≤", limit: 2, unit: "", met: false },
  ]);
  const met = (figures: Record<string, number>) => verdicts("b", aims, figures).map((verdict) => verdict.met);
  expect(met({ most: 2.01, below: 1.99, least: 1.99, none: 0 })).toEqual([false, true, false, true]);
  // As JSON has a figure that is no number.
  const unknown = JSON.parse(JSON.stringify({ most: Number.NaN, below: Number.NaN, none: Number.POSITIVE_INFINITY }));
  expect(met({ ...unknown, least: Number.POSITIVE_INFINITY })).toEqual([false, false, false, false]);
});

test("a ratio to nothing is none", () => {
  const none = JSON.parse("null");
  expect([ratio(3, 2), ratio(0, 2)]).toEqual([1.5, 0]);
  expect([ratio(3, 0), ratio(undefined, 2), ratio(3, undefined), ratio(none, 2), ratio(3, none)]).toEqual(
    Array(5).fill(undefined),
  );
});

test("the table has a line for each claim, with three digits or whole numbers", () => {
  const aims = { ratio: aim("≤", 1), calls: aim("≥", 10_000, "/s"), time: aim("<", 0.3, "ms") };
  const lines = claimsTable(verdicts("b", aims, { ratio: 0.81234, calls: 27_123.4 })).split("\n");
  expect(lines.filter((line) => /[a-z]/.test(line)).map((line) => line.split("│").map((cell) => cell.trim()))).toEqual([
    ["", "benchmark", "claim", "measured", "aim", "met", ""],
    ["", "b", "c", "0.812", "≤ 1", "yes", ""],
    ["", "b", "c", "27,123/s", "≥ 10,000/s", "yes", ""],
    ["", "b", "c", "not measured", "< 0.3 ms", "no", ""],
  ]);
});
