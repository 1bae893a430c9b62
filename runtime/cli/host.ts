import { Command, Option } from "commander";
import type { HostCommandOptions } from "./host-action.ts";
import { exposureOptions, milliseconds, portNumber, seconds } from "./listen-options.ts";

/** `mcp-fleet host`: one stdio MCP server as a network server, until SIGTERM or SIGINT drains it. */
export function hostCommand(): Command {
  const command = new Command("host")
    .description(
      "Make a network server of one stdio MCP server: /mcp, /health, /ready, /metrics, /docs, /load, /batch.",
    )
    .argument("[command...]", "command line of a custom server, after --")
    .addOption(new Option("--type <type>", "a preset, or custom").env("MCP_SERVER_TYPE"))
    .addOption(new Option("--server-version <version>", "version of a preset's package").env("MCP_SERVER_VERSION"))
    .addOption(new Option("--name <name>", "in metrics, logs and paths; defaults to the type").env("MCP_SERVER_NAME"))
    .addOption(
      new Option("--server <yaml>", "the server as under servers.<name> of a configuration file").env("MCP_SERVER"),
    )
    .addOption(new Option("--host <address>", "address to listen on").default("127.0.0.1").env("MCP_FLEET_HOST"))
    .addOption(
      new Option("--port <number>", "port to listen on").default(3001).argParser(portNumber).env("MCP_FLEET_PORT"),
    )
    .addOption(
      new Option("--token-file <path>", "callers send this file's content as a bearer token").env(
        "MCP_FLEET_TOKEN_FILE",
      ),
    )
    .addOption(
      new Option("--load-log <seconds>", "write the load to the log so often, for metrics made of log lines")
        .argParser(seconds)
        .env("MCP_FLEET_LOAD_LOG_SECONDS"),
    )
    .addOption(
      new Option("--drain-ms <milliseconds>", "how long calls in flight may go on when it stops; defaults to 10000")
        .argParser(milliseconds)
        .env("MCP_FLEET_DRAIN_MS"),
    )
    .addOption(new Option("--log-level <level>", "trace, debug, info, warn, error or silent").env("MCP_LOG_LEVEL"));
  for (const option of exposureOptions()) command.addOption(option);
  return command.action(async (words: string[], options: HostCommandOptions) =>
    (await import("./host-action.ts")).host({ ...options, command: words }),
  );
}
