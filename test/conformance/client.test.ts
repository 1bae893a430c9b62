import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { clientConformance, requiredOfClients } from "../support/conformance.ts";

// The official suite's client scenarios: its servers test the gateway's upstream side, behind which a real client calls.
const command = `${process.execPath} ${join(import.meta.dirname, "client/driver.ts")}`;
const withoutAuth = (scenario: string) => !scenario.startsWith("auth/");

test.each([
  { revision: "2025-11-25", required: 4 },
  { revision: "2026-07-28", required: 7 },
])("everything that $revision requires of clients", async ({ revision, required }) => {
  const scenarios = (await requiredOfClients(revision)).filter(withoutAuth);
  expect(await clientConformance(command, scenarios, revision)).toEqual({});
  expect(scenarios).toHaveLength(required);
});

test("a schema of 2020-12 reaches the client as it is, in both eras", async () => {
  for (const revision of ["2025-11-25", "2026-07-28"]) {
    expect(await clientConformance(command, ["json-schema-2020-12-preservation"], revision)).toEqual({});
  }
});

test("the suite's stable line", async () => {
  const scenarios = (await requiredOfClients("2025-11-25")).filter(withoutAuth);
  expect(await clientConformance(command, scenarios, "2025-11-25", "stable")).toEqual({});
});
