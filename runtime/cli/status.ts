import { Command } from "commander";
import type { FleetStatus } from "../registry/fleet-status.ts";
import { terminalJson } from "../terminal-text.ts";
import { askGateway, tokenOption, urlOption } from "./gateway-url.ts";

/** `mcp-fleet status`: the fleets of a running gateway. */
export function statusCommand(): Command {
  return new Command("status")
    .description("Show the fleets of a running gateway.")
    .addOption(urlOption())
    .addOption(tokenOption())
    .option("--json", "for machines")
    .action(async ({ url, token, json }: { url: string; token?: string; json?: true }) => {
      const fleets = (await askGateway(url, "/api/v1/servers", { token })) as FleetStatus[];
      if (json) process.stdout.write(`${terminalJson(fleets, 2)}\n`);
      else process.stdout.write(`${(await import("./fleet-table.ts")).fleetTable(fleets)}\n`);
    });
}
