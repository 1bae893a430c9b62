import { join } from "node:path";
import { MCPGateway, MCPServerFleet } from "mcp-fleet";

const dice = new MCPServerFleet("dice", {
  type: "custom",
  // The server keeps nothing between calls: all callers share its instances.
  isolation: "shared",
  scaling: { minInstances: 2, maxInstances: 8 },
  process: { command: process.execPath, args: [join(import.meta.dirname, "server.ts")] },
});
const gateway = new MCPGateway("gateway", { port: 8080, fleets: [dice] });

export const endpoint = gateway.endpoint;
