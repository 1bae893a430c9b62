import { MCPGateway, MCPServerFleet } from "mcp-fleet";

// Two instances of one server: the gateway spreads calls, and leaves out the one that fails.
const search = new MCPServerFleet("search", {
  type: "custom",
  endpoints: ["https://search-a.example.com/mcp", "https://search-b.example.com/mcp"],
  healthCheck: { intervalMs: 5000 },
});
// The gateway reads its token from its own environment: neither clients nor the stack's state ever have it.
const tickets = new MCPServerFleet("tickets", {
  type: "custom",
  endpoints: ["https://tickets.example.com/mcp"],
  credentials: { header: { scheme: "Bearer", value: "$" + "{TICKETS_TOKEN}" } },
});
const gateway = new MCPGateway("gateway", { port: 8080, fleets: [search, tickets] });

export const endpoint = gateway.endpoint;
