import { Command, InvalidArgumentError } from "commander";
import type { BenchOptions } from "./bench-action.ts";

/** `mcp-fleet bench`: how much an MCP endpoint takes, and what the calls cost. */
export function benchCommand(): Command {
  return new Command("bench")
    .description("Measure an MCP endpoint: throughput, latency, CPU and memory; every answer is checked.")
    .requiredOption("--url <url>", "MCP endpoint over Streamable HTTP, such as http://127.0.0.1:8080/mcp/echo")
    .option("--direct <url>", "the server behind it, measured in the same rounds")
    .option("--header <header>", "'Name: value' for --url; may be repeated", header, {})
    .option("--direct-header <header>", "'Name: value' for --direct; may be repeated", header, {})
    .option("--tool <name>", "tool to call (default: the first whose name ends in echo)")
    .option("--args <json>", "its arguments, with {text} where each call's own text goes (default: its first string)")
    .option("--sessions <counts>", "sessions at a time, one run for each", counts, [1, 8, 32, 100, 1000])
    .option("--duration <seconds>", "of each measurement", seconds, 3)
    .option("--warm <seconds>", "before each measurement", seconds, 1)
    .option("--rounds <number>", "of which the medians are shown", positive, 3)
    .option("--threads <number>", "of the load generator", positive, 1)
    .option("--pid <pids>", "processes behind --url, for CPU and memory with all their children (Linux)", counts, [])
    .option("--direct-pid <pids>", "processes behind --direct", counts, [])
    .option("--json <file>", "writes the figures")
    .option("--html <file>", "writes a page with charts that needs no network")
    .action(async (options: BenchOptions) => (await import("./bench-action.ts")).bench(options));
}

function header(text: string, before: Record<string, string>): Record<string, string> {
  const [, name, value] = /^([!#$%&'*+.^_`|~\w-]+):\s*([\x20-\x7e]*)$/.exec(text) ?? [];
  if (name === undefined || value === undefined)
    throw new InvalidArgumentError(`"${text}" is no header; write 'Name: value'.`);
  return { ...before, [name]: value };
}

function counts(text: string): number[] {
  return text.split(",").map(positive);
}

function positive(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new InvalidArgumentError(`"${text}" is no whole number above 0.`);
}

function seconds(text: string): number {
  const value = Number(text);
  if (value > 0 && value <= 3600) return value;
  throw new InvalidArgumentError(`"${text}" is no number of seconds from 0 to 3600.`);
}
