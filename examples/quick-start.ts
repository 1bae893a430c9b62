import { CompleteMCPIntegration } from "mcp-fleet/runtime";

const mcp = new CompleteMCPIntegration();
await mcp.setupProductionServers();
const thought = await mcp.executeRequest("sequential", "analyze-problem", { problem: "Ship on Friday?" });
console.log(thought);
await mcp.close();
