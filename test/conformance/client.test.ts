import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { clientConformance, requiredOfClients } from "../support/conformance.ts";

// The official suite's client scenarios: its servers and authorization servers test the gateway's upstream side, behind
// which a real client calls, and beside which a person logs in.
const command = `${process.execPath} ${join(import.meta.dirname, "client/driver.ts")}`;
/** A scenario takes a second, on a machine that does much else a good deal more. */
const timeoutMs = 120_000;
const required = { "2025-11-25": requiredOfClients("2025-11-25"), "2026-07-28": requiredOfClients("2026-07-28") };
const cells = Object.entries(required).flatMap(([revision, scenarios]) =>
  scenarios.map((scenario) => ({ revision, scenario })),
);

test("these are all that the suite requires", () => {
  expect([required["2025-11-25"].length, required["2026-07-28"].length]).toEqual([18, 32]);
});

test.concurrent.each(cells)(
  "$revision: $scenario",
  async ({ revision, scenario }) => {
    expect(await clientConformance(command, scenario, revision)).toBeUndefined();
  },
  timeoutMs,
);

test.concurrent.each([
  { revision: "2025-11-25", scenario: "json-schema-2020-12-preservation" },
  { revision: "2026-07-28", scenario: "json-schema-2020-12-preservation" },
  { revision: undefined, scenario: "auth/client-credentials-basic" },
  { revision: undefined, scenario: "auth/client-credentials-jwt" },
])(
  "beyond what is required, $revision: $scenario",
  async ({ revision, scenario }) => {
    expect(await clientConformance(command, scenario, revision)).toBeUndefined();
  },
  timeoutMs,
);

test.concurrent.each(required["2025-11-25"])(
  "the suite's stable line: %s",
  async (scenario) => {
    expect(await clientConformance(command, scenario, "2025-11-25", "stable")).toBeUndefined();
  },
  timeoutMs,
);
