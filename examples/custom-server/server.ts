import { McpServer } from "@modelcontextprotocol/server";
import { StdioServerTransport } from "@modelcontextprotocol/server/stdio";
import { z } from "zod";

const server = new McpServer({ name: "dice", version: "1.0.0" });

server.registerTool(
  "roll",
  { description: "Rolls dice.", inputSchema: z.object({ dice: z.int().min(1).max(100), sides: z.int().min(2) }) },
  async ({ dice, sides }) => {
    const rolled = Array.from({ length: dice }, () => 1 + Math.floor(sides * Math.random()));
    return { content: [{ type: "text", text: JSON.stringify(rolled) }] };
  },
);

await server.connect(new StdioServerTransport());
