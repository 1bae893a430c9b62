#!/usr/bin/env node
import { createRequire } from "node:module";
import { Command } from "commander";
import { ExitCode, reportFailure } from "./exit.ts";

const { version } = createRequire(import.meta.url)(
  import.meta.url.endsWith(".ts") ? "../../package.json" : "../../../package.json",
) as { version: string };

const program = new Command("mcp-fleet")
  .description("Run fleets of Model Context Protocol (MCP) servers behind one gateway.")
  .version(version)
  .exitOverride((error) => {
    process.exit(error.exitCode === 0 ? ExitCode.Clean : ExitCode.BadUsage);
  });

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = reportFailure(error, process.stderr);
}
