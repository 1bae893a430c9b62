import { MCPGateway, MCPServerFleet } from "mcp-fleet";

const fleets = (["context7", "sequential", "magic", "playwright"] as const).map(
  (type) => new MCPServerFleet(type, { type }),
);
const gateway = new MCPGateway("gateway", { port: 8080, fleets });

export const endpoint = gateway.endpoint;
