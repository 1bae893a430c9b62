// A light MCP echo server (2025-11-25) on standard streams: reads and writes once a turn, so that it is not what is measured.
const tools = [{ name: "echo", inputSchema: { type: "object" } }];
const serverInfo = { name: "bench-echo", version: "1" };
const results = {
  initialize: () => ({ protocolVersion: "2025-11-25", capabilities: { tools: {} }, serverInfo }),
  "tools/list": () => ({ tools }),
  "tools/call": (params) => ({ content: [{ type: "text", text: params.arguments.text }] }),
};

let rest = "";
process.stdin.setEncoding("utf8").on("data", (chunk) => {
  const lines = (rest + chunk).split("\n");
  rest = lines.pop();
  let out = "";
  for (const line of lines) {
    const { id, method, params } = JSON.parse(line);
    if (id === undefined) continue;
    const result = results[method]?.(params);
    const reply = result === undefined ? { error: { code: -32601, message: "Method not found" } } : { result };
    out += `${JSON.stringify({ jsonrpc: "2.0", id, ...reply })}\n`;
  }
  if (out !== "") process.stdout.write(out);
});
