import { text } from "node:stream/consumers";
import { Argument, Command } from "commander";
import {
  type Operation,
  operations,
  type ResourceKind,
  resourceKinds,
} from "../orchestrator/process-platform/operations.ts";
import { terminalLine } from "../terminal-text.ts";

/**
 * `mcp-fleet platform`: what the Pulumi resources of the platforms `process` and `systemd`, and the rollouts of `kubernetes`, run. Not for people, hence hidden: one JSON
 * object on standard input, one on standard output, progress on standard error.
 */
export function platformCommand(): Command {
  return new Command("platform")
    .addArgument(new Argument("<kind>").choices(resourceKinds))
    .addArgument(new Argument("<operation>").choices(operations))
    .action(async (kind: ResourceKind, operation: Operation) => {
      // Loaded when needed: a deployment runs this command a dozen times.
      const { operate } = await import("../orchestrator/process-platform/index.ts");
      const request: unknown = JSON.parse(await text(process.stdin));
      const progress = (line: string) => void process.stderr.write(`${terminalLine(line)}\n`);
      const response = await operate(kind, operation, request, process.argv[1] as string, progress);
      process.stdout.write(`${JSON.stringify(response)}\n`);
      // A daemon that was started goes on; its handle must not keep this process.
      process.exitCode = response.ok ? 0 : 1;
    });
}
