import Table from "cli-table3";
import type { Verdict } from "./verdict.ts";

/** Verdicts as a table for people. */
export function claimsTable(all: readonly Verdict[]): string {
  const table = new Table({
    head: ["benchmark", "claim", "measured", "aim", "met"],
    colAligns: ["left", "left", "right", "right", "left"],
    style: { head: [], border: [] },
  });
  for (const { benchmark, claim, measured, bound, limit, unit, met } of all) {
    const figure = measured === undefined ? "not measured" : withUnit(measured, unit);
    table.push([benchmark, claim, figure, `${bound} ${withUnit(limit, unit)}`, met ? "yes" : "no"]);
  }
  return table.toString();
}

/** Three significant digits, and whole numbers from a hundred up. */
function withUnit(figure: number, unit: string): string {
  const digits = Math.abs(figure) < 100 ? { maximumSignificantDigits: 3 } : { maximumFractionDigits: 0 };
  const text = figure.toLocaleString("en-US", digits);
  return unit === "" || unit.startsWith("/") ? `${text}${unit}` : `${text} ${unit}`;
}
