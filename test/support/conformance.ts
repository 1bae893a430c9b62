import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";

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

/** What a revision requires of clients, by the suite's own frozen list. */
export function requiredOfClients(revision: string): readonly string[] {
  const list = join(packages, "@modelcontextprotocol/conformance/requirements", `${revision}.yaml`);
  return (parse(readFileSync(list, "utf8")) as { client: string[] }).client;
}

/**
 * Runs one client scenario with a command to which the suite appends its server's URL. Resolves with the log when it did
 * not pass, warnings included. `revision` is not for scenarios of extensions, which have none.
 */
export async function clientConformance(
  command: string,
  scenario: string,
  revision: string | undefined,
  line: "newest" | "stable" = "newest",
): Promise<string | undefined> {
  const version = revision === undefined ? [] : ["--spec-version", revision];
  const args = ["client", "--command", command, "--scenario", scenario, ...version, "--timeout", "100000"];
  const { code, log } = await start(line === "newest" ? newest : stable, args);
  // A scenario that does not apply ends well too, but has shown nothing.
  return code === 0 && log.includes("OVERALL: PASSED") ? undefined : log;
}

async function run(suite: string, args: readonly string[]): Promise<Verdict> {
  return verdictOf((await start(suite, args)).log);
}

async function start(suite: string, args: readonly string[]): Promise<{ readonly code: number; readonly log: string }> {
  const folder = await mkdtemp(join(tmpdir(), "conformance-"));
  try {
    return await new Promise((resolve) => {
      execFile(
        process.execPath,
        [suite, ...args, "-o", folder],
        { cwd: folder, maxBuffer: 1 << 26 },
        (error, out, err) => resolve({ code: error === null ? 0 : 1, log: out + err }),
      );
    });
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
