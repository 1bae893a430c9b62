import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { describeMachine } from "../../runtime/bench/index.ts";
import { benchmarks } from "./claims/benchmarks.ts";
import { type Outcome, run } from "./claims/run.ts";
import { claimsTable } from "./claims/table.ts";
import type { Verdict } from "./claims/verdict.ts";
import { writeFigures } from "./figures-file.ts";

// `npm run bench:claims`: every benchmark that a claim of the project is about, one after the other, and one table of what was claimed and
// what was measured. `--json FILE` keeps table and figures. Ends with 1 when something is not met. About 25 minutes of a quiet machine;
// `--only price,latency` runs some of them, `--soak-seconds` shortens the soak, `--short` everything, which then proves only that it runs.
const { values } = parseArgs({
  options: {
    only: { type: "string" },
    json: { type: "string" },
    short: { type: "boolean", default: false },
    "soak-seconds": { type: "string" },
    referee: { type: "boolean" },
  },
  allowNegative: true,
});

const { short } = values;
const soakSeconds = Number(values["soak-seconds"] ?? (short ? 10 : 600));
// Load generator and echo server in Rust, unless there is nothing to build them with.
const referee = values.referee ?? spawnSync("cargo", ["--version"]).status === 0;
const all = benchmarks({ short, soakSeconds, referee });
const names = values.only?.split(",") ?? all.map(({ name }) => name);
for (const name of names) {
  if (all.some((one) => one.name === name)) continue;
  throw new Error(`--only: "${name}" is none of ${all.map((one) => one.name).join(", ")}`);
}

const about = {
  at: new Date().toISOString(),
  machine: describeMachine(),
  /** Of the last minute, before anything was run. */
  load: loadavg()[0],
  node: process.versions.node,
  commit: execFileSync("git", ["describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"], {
    ...{ cwd: import.meta.dirname, encoding: "utf8" },
  }).trim(),
  ...{ short, soakSeconds, referee },
};
const folder = mkdtempSync(join(tmpdir(), "mcp-fleet-claims-"));
const verdicts: Verdict[] = [];
const outcomes: Record<string, Outcome> = {};
try {
  for (const benchmark of all.filter(({ name }) => names.includes(name))) {
    process.stderr.write(`${benchmark.name}: ${benchmark.script} ${benchmark.args.join(" ")}\n`);
    const outcome = await run(benchmark, folder);
    if (outcome.code !== 0) process.stderr.write(`${benchmark.name}: ended with ${outcome.code}\n`);
    outcomes[benchmark.name] = outcome;
    verdicts.push(...benchmark.judge(outcome.figures));
    // What was measured is kept, should a later one be broken off.
    writeFigures(values.json, { ...about, verdicts, outcomes });
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.stdout.write(`${claimsTable(verdicts)}\n`);
const failed = Object.values(outcomes).some(({ code }) => code !== 0);
if (failed || verdicts.some(({ met }) => !met)) process.exitCode = 1;
