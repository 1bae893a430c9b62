import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { clientConformance } from "../support/conformance.ts";
import { moreClientCells, requiredClientCells } from "./cells.ts";

// The official suite's client scenarios: its servers and authorization servers test the gateway's upstream side, behind
// which a real client calls, and beside which a person logs in.
const command = `${process.execPath} ${join(import.meta.dirname, "client/driver.ts")}`;
/** A scenario takes a second, on a machine that does much else a good deal more. */
const timeoutMs = 120_000;

test("these are all that the suite requires", () => {
  const required = (line: string, revision: string) =>
    requiredClientCells.filter((cell) => cell.line === line && cell.revision === revision).length;
  expect([required("newest", "2025-11-25"), required("newest", "2026-07-28")]).toEqual([18, 32]);
  expect(required("stable", "2025-11-25")).toBe(18);
});

test.concurrent.each([...requiredClientCells, ...moreClientCells])(
  "$line line, $revision: $scenario",
  async ({ line, revision, scenario }) => {
    expect(await clientConformance(command, scenario, revision, line)).toBeUndefined();
  },
  timeoutMs,
);
