import Table from "cli-table3";
import type { FleetStatus } from "../registry/fleet-status.ts";
import { terminalLine } from "../terminal-text.ts";

/** Characters of one cell: what a server says of itself has no bound of its own. */
const maxCell = 300;

/** The fleets as a table for people. What servers say of themselves cannot control the terminal. */
export function fleetTable(fleets: readonly FleetStatus[]): string {
  const table = new Table({
    head: ["server", "version", "instances", "health", "tools", "start-up"],
    style: { head: [], border: [] },
  });
  for (const status of fleets) {
    const { name, version, instances, tools, startupMs } = status;
    const count = `${instances.ready}/${instances.total} (max ${instances.max})`;
    const cells = [
      name,
      version,
      count,
      healthText(status),
      tools ?? "–",
      startupMs === null ? "–" : `${startupMs} ms`,
    ];
    table.push(cells.map((cell) => terminalLine(String(cell).slice(0, maxCell))));
  }
  return table.toString();
}

function healthText({ health, error, refused }: FleetStatus): string {
  if (refused !== undefined) return `${health}, its change is refused: ${refused}`;
  return error === undefined ? health : `${health}: ${error}`;
}
