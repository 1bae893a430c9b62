import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const packages = join(import.meta.dirname, "../../node_modules");
const newest = join(packages, "@modelcontextprotocol/conformance/dist/index.js");
const stable = join(packages, "conformance-0.1/dist/index.js");

/** What one run of the official suite came to. */
export interface Verdict {
  /** Required scenarios without a failed check. */
  readonly passed: number;
  readonly required: number;
  /** Required scenarios with a failed check, and what failed. */
  readonly failed: readonly string[];
  readonly log: string;
}

/** Runs the official suite's server scenarios that a revision requires against a URL. */
export const conformance = (url: string, revision: string): Promise<Verdict> =>
  run(newest, ["server", "--url", url, "--requirements", revision]);

/** Runs the active server scenarios of the suite's stable line (0.1.16), which knows revisions up to 2025-11-25. */
export const stableConformance = (url: string): Promise<Verdict> =>
  run(stable, ["server", "--url", url, "--suite", "active"]);

/** Runs one client scenario of a revision; the suite appends its server's URL to the command. */
export const clientConformance = (command: string, scenario: string, revision: string): Promise<Verdict> =>
  run(newest, [
    "client",
    "--command",
    command,
    "--scenario",
    scenario,
    "--spec-version",
    revision,
    "--timeout",
    "60000",
  ]);

async function run(suite: string, args: readonly string[]): Promise<Verdict> {
  const folder = await mkdtemp(join(tmpdir(), "conformance-"));
  try {
    const log = await new Promise<string>((resolve) => {
      execFile(
        process.execPath,
        [suite, ...args, "-o", folder],
        { cwd: folder, maxBuffer: 1 << 26 },
        (_error, out, err) => resolve(out + err),
      );
    });
    return verdictOf(log);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The scenarios whose outcome the suite scores, by its own closing lines. */
function verdictOf(log: string): Verdict {
  const unscored = new Set(
    [...log.matchAll(/^ {2}[✓✗] (\S+) \((?:extension|pending|added-after-release)\)/gm)].map(([, name]) => name),
  );
  const lines = [...log.matchAll(/^([✓✗]) (\S+): \d+ passed, \d+ failed/gm)].filter(
    ([, , name]) => !unscored.has(name as string),
  );
  const failed = lines.filter(([, mark]) => mark === "✗").map(([, , name]) => name as string);
  return { passed: lines.length - failed.length, required: lines.length, failed, log };
}
