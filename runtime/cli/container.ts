import { Command } from "commander";
import { hostCommand } from "./host.ts";
import { serveCommand } from "./serve.ts";

/**
 * `mcp-fleet container`: what the image runs when it is given no command. Its environment decides: a server host where
 * MCP_SERVER_TYPE or MCP_SERVER says which server, else the gateway with the configuration at MCP_FLEET_CONFIG.
 */
export function containerCommand(): Command {
  return new Command("container").description("Run what the environment of a container asks for.").action(async () => {
    const { MCP_SERVER_TYPE, MCP_SERVER } = process.env;
    const command = MCP_SERVER_TYPE === undefined && MCP_SERVER === undefined ? serveCommand() : hostCommand();
    await command.parseAsync([], { from: "user" });
  });
}
