import { execFileSync } from "node:child_process";
import { dirname, join } from "node:path";
import { expect } from "@jest/globals";

/** A kind of file that checkov knows. */
export type CheckovFramework = "dockerfile" | "kubernetes" | "terraform_plan";

/**
 * Runs checkov (beside MANIFEST_PYTHON) over one file, and expects that it finds exactly what has its reason in `exceptions`, by id of
 * the check, and that more than `passed` checks pass: it has read the file.
 */
export function expectChecked(
  framework: CheckovFramework,
  file: string,
  exceptions: Readonly<Record<string, string>>,
  passed: number,
): void {
  const checkov = join(dirname(process.env.MANIFEST_PYTHON as string), "checkov");
  const args = ["--framework", framework, "--file", file, "--output", "json", "--quiet", "--soft-fail"];
  const text = execFileSync(checkov, [...args, "--skip-download"], { encoding: "utf8", maxBuffer: 1 << 26 });
  const { results, summary } = JSON.parse(text) as {
    results: { failed_checks: { check_id: string; check_name: string; resource: string }[] };
    summary: { passed: number; parsing_errors: number };
  };
  const unexplained = results.failed_checks.filter(({ check_id }) => !(check_id in exceptions));
  expect(unexplained.map(({ check_id, check_name, resource }) => [check_id, check_name, resource])).toEqual([]);
  expect([...new Set(results.failed_checks.map(({ check_id }) => check_id))].sort()).toEqual(
    Object.keys(exceptions).sort(),
  );
  expect([summary.passed > passed, summary.parsing_errors]).toEqual([true, 0]);
}
