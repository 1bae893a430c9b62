import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { test } from "@jest/globals";
import { findCommand } from "../../runtime/orchestrator/find-command.ts";

const found = (command: string) => findCommand(command, process.env.PATH ?? "", process.cwd()) !== undefined;
const engines = process.env.ENGINES_HOME ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "engines");

const present = {
  "a Pulumi engine": found("pulumi") || existsSync(join(engines, "pulumi/bin/.built")),
  "the Python client (MCP_PYTHON)": process.env.MCP_PYTHON !== undefined,
  "Chromium or Chrome": ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"].some(found),
};

/** A test that runs only where this machine has what it needs; elsewhere it is skipped and its name says why. */
export function testWith(...needs: (keyof typeof present)[]): (name: string, run: () => Promise<void>) => void {
  const missing = needs.filter((need) => !present[need]);
  if (missing.length === 0) return test;
  const { skip } = test;
  return (name, run) => skip(`${name} [needs ${missing.join(", ")}]`, run);
}
