import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";

/** Runs a tool of Prometheus over files that are gone afterwards; returns what it says, with its exit code. */
export function check(tool: string, args: readonly string[], files: Readonly<Record<string, object>>) {
  const folder = mkdtempSync(join(tmpdir(), "rules-test-"));
  try {
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), stringify(content));
    const out = execFileSync(tool, args, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
    return { code: 0, out };
  } catch (error) {
    const { status, stdout, stderr } = error as { status: number; stdout: string; stderr: string };
    return { code: status, out: stdout + stderr };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
