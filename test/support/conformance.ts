import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";

const packages = join(import.meta.dirname, "../../node_modules");
const newest = join(packages, "@modelcontextprotocol/conformance/dist/index.js");
const stable = join(packages, "conformance-0.1/dist/index.js");

/** The suite is released in two lines: the newest and the stable one (0.1.16). */
export type SuiteLine = "newest" | "stable";
const programs: Readonly<Record<SuiteLine, string>> = { newest, stable };

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

/** What a revision requires of clients or servers, by the suite's own frozen list. */
export function requiredOf(side: "client" | "server", revision: string): readonly string[] {
  const list = join(packages, "@modelcontextprotocol/conformance/requirements", `${revision}.yaml`);
  return (parse(readFileSync(list, "utf8")) as Record<typeof side, string[]>)[side];
}

/**
 * Runs one client scenario with a command to which the suite appends its server's URL. Resolves with the log when it did
 * not pass, warnings included. `revision` is not for scenarios of extensions, which have none.
 */
export async function clientConformance(
  command: string,
  scenario: string,
  revision: string | undefined,
  line: SuiteLine = "newest",
): Promise<string | undefined> {
  const version = revision === undefined ? [] : ["--spec-version", revision];
  const args = ["client", "--command", command, "--scenario", scenario, ...version, "--timeout", "100000"];
  const { code, log } = await start(programs[line], args);
  return code === 0 && log.includes("OVERALL: PASSED") && hasShown(log) ? undefined : log;
}

/** Runs one server scenario of a revision against a URL. Resolves with the log when it did not pass. */
export async function serverConformance(
  url: string,
  scenario: string,
  revision: string,
  line: SuiteLine,
): Promise<string | undefined> {
  const args = ["server", "--url", url, "--scenario", scenario, "--spec-version", revision];
  const { code, log } = await start(programs[line], args);
  return code === 0 && hasShown(log) ? undefined : log;
}

/** A scenario that does not apply ends well too, but its checks have shown nothing. */
const hasShown = (log: string): boolean => /^Passed: ([1-9]\d*)\/\1, 0 failed, 0 warnings$/m.test(log);

/**
 * Runs the scenarios for authorization servers. `browse` visits the page where a person would log in, which sends the
 * browser back to the suite.
 */
export async function authorizationConformance(
  args: readonly string[],
  browse: (page: string) => Promise<void>,
): Promise<{ readonly passed: readonly string[]; readonly failed: readonly string[]; readonly log: string }> {
  let visit: Promise<void> | undefined;
  const { log } = await start(newest, ["authorization", ...args], (said) => {
    const page = /^(http\S+response_type=code\S+)$/m.exec(said)?.[1];
    if (page !== undefined) visit ??= browse(page);
  });
  await visit;
  const outcomes = [...log.matchAll(/^([✓✗]) (\S+): (\d+) passed, (\d+) failed/gm)];
  const passes = ([, mark, , passed]: RegExpExecArray) => mark === "✓" && passed !== "0";
  const names = (some: readonly RegExpExecArray[]) => some.map(([, , name]) => name as string);
  return { passed: names(outcomes.filter(passes)), failed: names(outcomes.filter((one) => !passes(one))), log };
}

/** Every scenario of a line of the suite, by what it tests. */
export async function scenariosOf(
  line: SuiteLine,
): Promise<Readonly<Record<"client" | "server" | "authorization", readonly string[]>>> {
  const { log } = await start(programs[line], ["list"], undefined, []);
  const [, server = "", client = "", authorization = ""] = log.split(/^\w.* scenarios \(.*\):$/m);
  const names = (text: string) => [...text.matchAll(/^ {2}- (\S+)/gm)].map(([, name]) => name as string);
  return { client: names(client), server: names(server), authorization: names(authorization) };
}

async function run(suite: string, args: readonly string[]): Promise<Verdict> {
  return verdictOf((await start(suite, args)).log);
}

/** `heard` is told all that the suite has said so far, whenever it says more. */
async function start(
  suite: string,
  args: readonly string[],
  heard?: (said: string) => void,
  output: readonly string[] = ["-o"],
): Promise<{ readonly code: number; readonly log: string }> {
  const folder = await mkdtemp(join(tmpdir(), "conformance-"));
  try {
    return await new Promise((resolve) => {
      const child = execFile(
        process.execPath,
        [suite, ...args, ...output.flatMap((option) => [option, folder])],
        { cwd: folder, maxBuffer: 1 << 26 },
        (error, out, err) => resolve({ code: error === null ? 0 : 1, log: out + err }),
      );
      if (heard === undefined) return;
      let said = "";
      child.stdout?.on("data", (chunk) => {
        said += chunk;
        heard(said);
      });
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
