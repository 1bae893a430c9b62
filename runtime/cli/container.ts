import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { hostCommand } from "./host.ts";
import { serveCommand } from "./serve.ts";

/**
 * `mcp-fleet container`: what the image runs when it is given no command. Its environment decides: the keeper of a gateway's
 * port where MCP_FLEET_FORWARD_TO names the gateway, a server host where MCP_SERVER_TYPE or MCP_SERVER names the server, else
 * the gateway with the configuration at MCP_FLEET_CONFIG, or, on platforms that give containers no files, in
 * MCP_FLEET_CONFIG_TEXT.
 */
export function containerCommand(): Command {
  return new Command("container").description("Run what the environment of a container asks for.").action(async () => {
    const { MCP_SERVER_TYPE, MCP_SERVER, MCP_FLEET_CONFIG_TEXT, MCP_FLEET_FORWARD_TO } = process.env;
    if (MCP_FLEET_FORWARD_TO !== undefined) {
      await (await import("./forward.ts")).forward(MCP_FLEET_FORWARD_TO);
      return;
    }
    if (MCP_FLEET_CONFIG_TEXT !== undefined) process.env.MCP_FLEET_CONFIG = writeConfig(MCP_FLEET_CONFIG_TEXT);
    const command = MCP_SERVER_TYPE === undefined && MCP_SERVER === undefined ? serveCommand() : hostCommand();
    await command.parseAsync([], { from: "user" });
  });
}

/** Its secrets are references; what else it says is for this user alone. */
function writeConfig(text: string): string {
  const path = join(mkdtempSync(join(tmpdir(), "mcp-fleet-")), "mcp-fleet.json");
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}
