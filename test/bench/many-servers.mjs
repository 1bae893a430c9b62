// A hundred small MCP servers (2025-11-25) in one process, each at a path of its own with a hundred tools. Prints its port.
import { createServer } from "node:http";
import { json } from "node:stream/consumers";

const property = {
  type: "string",
  description: "An argument with a description of the usual length, such as this one.",
};
const tools = Array.from({ length: 100 }, (_, index) => ({
  name: `tool_${index}`,
  description: `Does the thing number ${index}, and says in two sentences what it is for. It takes three arguments.`,
  inputSchema: { type: "object", properties: { first: property, second: property, third: property } },
}));
const results = {
  initialize: {
    protocolVersion: "2025-11-25",
    capabilities: { tools: { listChanged: true } },
    serverInfo: { name: "one of many", version: "1" },
  },
  "tools/list": { tools },
};

const server = createServer(async (request, response) => {
  if (request.method !== "POST") return response.writeHead(405).end();
  const { id, method } = await json(request);
  if (id === undefined) return response.writeHead(202).end();
  const result = results[method];
  const reply = result === undefined ? { error: { code: -32601, message: "Method not found" } } : { result };
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ jsonrpc: "2.0", id, ...reply }));
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
