import { fleetTable } from "../runtime/cli/fleet-table.ts";
import type { FleetStatus } from "../runtime/registry/fleet-status.ts";

/** What is shown when a stack is up: its servers, where they can be asked from here, and how to connect. */
export async function upReport(url: string, endpoint = `${url}/mcp`): Promise<string> {
  const fleets = await fetch(new URL("/api/v1/servers", url)).then(
    (response) => (response.ok ? (response.json() as Promise<FleetStatus[]>) : undefined),
    () => undefined,
  );
  const entry = JSON.stringify({ mcpServers: { "mcp-fleet": { type: "http", url: endpoint } } }, null, 2);
  return [
    ...(fleets === undefined ? [] : [fleetTable(fleets), ""]),
    `MCP endpoint   ${endpoint}`,
    `Claude Code    claude mcp add --transport http mcp-fleet ${endpoint}`,
    ".mcp.json",
    ...entry.split("\n").map((line) => `  ${line}`),
  ].join("\n");
}
