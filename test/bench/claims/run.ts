import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Benchmark } from "./benchmarks.ts";

/** What a benchmark left. */
export interface Outcome {
  /** Null when a signal ended it. */
  readonly code: number | null;
  /** What it wrote; undefined when it failed before. */
  readonly figures: unknown;
}

/** Runs a benchmark in a process of its own, its output on our standard error, its figures in `folder`. */
export async function run({ name, script, args }: Benchmark, folder: string): Promise<Outcome> {
  const file = join(folder, `${name}.json`);
  const command = [join(import.meta.dirname, "..", script), ...args, "--json", file];
  const child = spawn(process.execPath, command, { stdio: ["ignore", 2, 2] });
  const [code] = (await once(child, "exit")) as [number | null];
  return { code, figures: existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined };
}
