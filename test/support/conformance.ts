import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const suite = join(import.meta.dirname, "../../node_modules/@modelcontextprotocol/conformance/dist/index.js");

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
export async function conformance(url: string, revision: string): Promise<Verdict> {
  const folder = await mkdtemp(join(tmpdir(), "conformance-"));
  try {
    const args = [suite, "server", "--url", url, "--requirements", revision, "-o", folder];
    const log = await new Promise<string>((resolve) => {
      execFile(process.execPath, args, { cwd: folder, maxBuffer: 1 << 26 }, (_error, out, err) => resolve(out + err));
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
