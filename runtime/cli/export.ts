import { Command } from "commander";
import type { ComposeOptions } from "./export-action.ts";

/** `mcp-fleet export`: a stack in the words of another tool. */
export function exportCommand(): Command {
  return new Command("export")
    .description("Write a stack of a Pulumi project in the words of another tool.")
    .addCommand(
      new Command("compose")
        .description("Write a Docker Compose file of a stack on the docker platform.")
        .option("--stack <name>", "a file stacks/Pulumi.<name>.yaml", "docker")
        .option("--project <folder>", "the Pulumi project", ".")
        .option("--out <folder>", "where the files are written", "compose")
        .action(async (options: ComposeOptions) => (await import("./export-action.ts")).exportCompose(options)),
    );
}
