import { Command, Option } from "commander";
import { exposureOptions, portNumber } from "./listen-options.ts";
import type { ServeOptions } from "./serve-action.ts";

/** `mcp-fleet serve`: the gateway in the foreground, until SIGTERM or SIGINT drains it. */
export function serveCommand(): Command {
  const command = new Command("serve")
    .description("Run the gateway in the foreground. SIGTERM drains it.")
    .addOption(
      new Option("--config <path>", "configuration file, or a folder with gateway.yaml and servers/<name>.yaml")
        .makeOptionMandatory()
        .env("MCP_FLEET_CONFIG"),
    )
    .addOption(
      new Option("--state <folder>", "keeps the session key and the records of processes over restarts").env(
        "MCP_FLEET_STATE_FOLDER",
      ),
    )
    .addOption(new Option("--host <address>", "overrides gateway.host").env("MCP_FLEET_HOST"))
    .addOption(new Option("--port <number>", "overrides gateway.port").argParser(portNumber).env("MCP_FLEET_PORT"));
  // What the process platform says to its daemon.
  command.addOption(new Option("--daemon <socket>").hideHelp()).addOption(new Option("--follows").hideHelp());
  for (const option of exposureOptions()) command.addOption(option);
  return command.action(async (options: ServeOptions) => (await import("./serve-action.ts")).serve(options));
}
