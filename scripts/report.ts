import { fleetTable } from "../runtime/cli/fleet-table.ts";
import type { FleetStatus } from "../runtime/registry/fleet.ts";

/** What is shown when a stack is up: its servers, and how to connect. */
export async function upReport(url: string): Promise<string> {
  const response = await fetch(new URL("/api/v1/servers", url));
  const fleets = (await response.json()) as FleetStatus[];
  const endpoint = `${url}/mcp`;
  const entry = JSON.stringify({ mcpServers: { "mcp-fleet": { type: "http", url: endpoint } } }, null, 2);
  return [
    fleetTable(fleets),
    "",
    `MCP endpoint   ${endpoint}`,
    `Claude Code    claude mcp add --transport http mcp-fleet ${endpoint}`,
    ".mcp.json",
    ...entry.split("\n").map((line) => `  ${line}`),
  ].join("\n");
}
