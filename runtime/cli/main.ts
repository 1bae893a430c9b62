#!/usr/bin/env node
import { Command } from "commander";
import { identity } from "../version.ts";
import { benchCommand } from "./bench.ts";
import { callCommand } from "./call.ts";
import { connectCommand } from "./connect.ts";
import { containerCommand } from "./container.ts";
import { coordinatorCommand } from "./coordinator.ts";
import { ExitCode, reportFailure } from "./exit.ts";
import { exportCommand } from "./export.ts";
import { hashCommand } from "./hash.ts";
import { hostCommand } from "./host.ts";
import { initCommand } from "./init.ts";
import { installCommand } from "./install.ts";
import { loginCommand } from "./login.ts";
import { platformCommand } from "./platform.ts";
import { serveCommand } from "./serve.ts";
import { statusCommand } from "./status.ts";
import { validateCommand } from "./validate.ts";

/** As `engines` of the package says. Older ones fail in the middle of a command. */
const leastNode = 24;

const program = new Command(identity.name)
  .description("Run fleets of Model Context Protocol (MCP) servers behind one gateway.")
  .version(identity.version)
  .addCommand(serveCommand())
  .addCommand(validateCommand())
  .addCommand(initCommand())
  .addCommand(statusCommand())
  .addCommand(callCommand())
  .addCommand(connectCommand())
  .addCommand(loginCommand())
  .addCommand(benchCommand())
  .addCommand(hashCommand())
  .addCommand(hostCommand())
  .addCommand(installCommand())
  .addCommand(exportCommand())
  .addCommand(coordinatorCommand())
  .addCommand(containerCommand(), { hidden: true })
  .addCommand(platformCommand(), { hidden: true });
// A command does not take over how its parent exits, and commander's own code for bad usage is 1.
for (const command of [program, ...program.commands]) {
  command.exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? ExitCode.Clean : ExitCode.BadUsage));
}

const [major] = process.versions.node.split(".");
if (Number(major) < leastNode) {
  process.stderr.write(
    `mcp-fleet: needs Node.js ${leastNode} or newer, and this is ${process.versions.node}; install a newer one\n`,
  );
  process.exit(ExitCode.BadUsage);
}

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = reportFailure(error, process.stderr);
}
