import { MCPGateway, MCPServerFleet } from "mcp-fleet";

const docs = new MCPServerFleet("context7", { type: "context7", scaling: { minInstances: 1, maxInstances: 8 } });
const thinking = new MCPServerFleet("sequential", { type: "sequential" });
const gateway = new MCPGateway("gateway", { port: 8080, fleets: [docs, thinking] });

export const endpoint = gateway.endpoint;
