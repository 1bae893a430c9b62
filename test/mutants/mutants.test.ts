import { execFile, execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { has } from "../support/present.ts";
import type { Mutant } from "./mutant.ts";
import { mutants } from "./mutants.ts";

// Each security control without a setting is taken out of a copy of the sources; the test that guards it must then fail.
const root = join(import.meta.dirname, "../..");
let copy: string;

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), "mutants-"));
  const listed = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
    ...{ cwd: root, encoding: "utf8" },
  });
  for (const file of listed.trim().split("\n")) {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    cpSync(join(root, file), join(copy, file));
  }
  execFileSync("git", ["init", "--quiet"], { cwd: copy });
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
});
afterAll(() => rmSync(copy, { recursive: true, force: true }));

interface Report {
  readonly testResults: readonly {
    readonly message: string;
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
}

/** How the tests that a mutant names end in the copy, as it is. */
async function outcomes({ path, tests }: Mutant): Promise<string[]> {
  const report = join(copy, "report.json");
  rmSync(report, { force: true });
  const jest = join(root, "node_modules/jest/bin/jest.js");
  const flags = ["--experimental-vm-modules", "--disable-warning=ExperimentalWarning"];
  const args = [
    "--runInBand",
    "--forceExit",
    "--json",
    "--outputFile",
    report,
    "--runTestsByPath",
    path,
    "--testNamePattern",
    tests,
  ];
  await new Promise<void>((resolve) => {
    execFile(
      process.execPath,
      [...flags, jest, ...args],
      { cwd: copy, maxBuffer: 1 << 26, timeout: 50_000, killSignal: "SIGKILL" },
      () => resolve(),
    );
  });
  const { testResults } = JSON.parse(readFileSync(report, "utf8")) as Report;
  const ran = testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ status }) => status !== "pending");
  // A file that cannot be loaded has shown nothing.
  if (ran.length === 0) throw new Error(testResults.map(({ message }) => message).join("\n"));
  return [...new Set(ran.map(({ status }) => status))];
}

test.each(mutants)("without $name its test fails", async (mutant) => {
  const file = join(copy, mutant.file);
  const whole = readFileSync(file, "utf8");
  expect(whole.split(mutant.from).length).toBe(2);
  if (mutant.needs !== undefined && !has(mutant.needs)) return;
  writeFileSync(
    file,
    whole.replace(mutant.from, () => mutant.to),
  );
  try {
    expect(await outcomes(mutant)).toEqual(["failed"]);
  } finally {
    writeFileSync(file, whole);
  }
});
