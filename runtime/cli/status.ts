import Table from "cli-table3";
import { Command } from "commander";
import type { FleetStatus } from "../registry/fleet.ts";
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
      process.stdout.write(json ? `${JSON.stringify(fleets, null, 2)}\n` : `${fleetTable(fleets)}\n`);
    });
}

/** The fleets as a table for people. */
export function fleetTable(fleets: readonly FleetStatus[]): string {
  const table = new Table({
    head: ["server", "version", "instances", "health", "tools", "start-up"],
    style: { head: [], border: [] },
  });
  for (const { name, version, instances, health, tools, startupMs, error } of fleets) {
    const count = `${instances.ready}/${instances.total} (max ${instances.max})`;
    table.push([
      name,
      version,
      count,
      error === undefined ? health : `${health}: ${error}`,
      tools ?? "–",
      startupMs === null ? "–" : `${startupMs} ms`,
    ]);
  }
  return table.toString();
}
