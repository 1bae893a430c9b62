import { execFileSync } from "node:child_process";
import { dirname, join } from "node:path";
import { expect } from "@jest/globals";
import { testWith } from "../support/needs.ts";

const test = testWith("kubernetes-validate and checkov (MANIFEST_PYTHON)");
const file = join(import.meta.dirname, "../../runtime/Dockerfile");

/** Checks that do not apply, each with its reason. Everything else must pass. */
const exceptions = {
  CKV_DOCKER_7: "the base is an argument, of which the default is an exact version",
} as const;

test("checkov finds nothing in the image's Dockerfile but what has its reason here", () => {
  const checkov = join(dirname(process.env.MANIFEST_PYTHON as string), "checkov");
  const args = ["--framework", "dockerfile", "--file", file, "--output", "json", "--quiet", "--soft-fail"];
  const text = execFileSync(checkov, [...args, "--skip-download"], { encoding: "utf8" });
  const { results, summary } = JSON.parse(text) as {
    results: { failed_checks: { check_id: string }[] };
    summary: { passed: number; parsing_errors: number };
  };
  expect(results.failed_checks.map(({ check_id }) => check_id)).toEqual(Object.keys(exceptions));
  expect([summary.passed > 50, summary.parsing_errors]).toEqual([true, 0]);
}, 60_000);
