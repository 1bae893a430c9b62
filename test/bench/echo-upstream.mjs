// A light MCP echo server (2025-06-18, Streamable HTTP, strict sessions, JSON answers) over raw sockets, so that it is not
// what a benchmark measures. Tools: `echo`, `bytes` (a text of `size` bytes), `stream` (`count` progress events). Prints its port.
import { randomBytes } from "node:crypto";
import { createServer } from "node:net";

const sessions = new Set();
const text = { type: "string" };
const tools = [
  {
    name: "echo",
    inputSchema: { type: "object", properties: { text }, required: ["text"] },
    annotations: { readOnlyHint: true },
  },
  { name: "bytes", inputSchema: { type: "object", properties: { text, size: { type: "integer" } } } },
  { name: "stream", inputSchema: { type: "object", properties: { text, count: { type: "integer" } } } },
];
const json = "Content-Type: application/json\r\n";

const answer = (status, headers, body) =>
  `HTTP/1.1 ${status}\r\n${headers}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
const reply = (id, result, headers = json) =>
  answer("200 OK", headers, `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${JSON.stringify(result)}}`);
const refused = (status, message) =>
  answer(status, json, JSON.stringify({ jsonrpc: "2.0", id: null, error: { code: -32000, message } }));
const said = (value) => ({ content: [{ type: "text", text: value }] });

const chunk = (data) => `${Buffer.byteLength(data).toString(16)}\r\n${data}\r\n`;
const event = (message) => chunk(`event: message\ndata: ${JSON.stringify({ jsonrpc: "2.0", ...message })}\n\n`);

/** Writes the events in groups, as a server that works meanwhile does. */
function stream(socket, id, { count, text: value }, progressToken) {
  socket.write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
  let sent = 0;
  const group = () => {
    for (let end = Math.min(sent + 10, count); sent < end; sent += 1) {
      const params = { progressToken, progress: sent + 1, total: count, message: `step ${sent + 1} of ${value}` };
      socket.write(event({ method: "notifications/progress", params }));
    }
    if (sent < count) setImmediate(group);
    else socket.write(`${event({ id, result: said(value) })}0\r\n\r\n`);
  };
  group();
}

function serve(socket, head, body) {
  const session = /\r\nmcp-session-id: *([^\r]+)/i.exec(head)?.[1];
  const method = head.slice(0, head.indexOf(" "));
  if (method === "DELETE") {
    sessions.delete(session);
    return socket.write("HTTP/1.1 204 No Content\r\n\r\n");
  }
  if (method !== "POST") return socket.write(answer("405 Method Not Allowed", "", ""));
  const { id, method: asked, params } = JSON.parse(body);
  if (asked === "initialize") {
    const opened = randomBytes(16).toString("hex");
    sessions.add(opened);
    const serverInfo = { name: "bench-echo", version: "1" };
    const result = { protocolVersion: "2025-06-18", capabilities: { tools: {} }, serverInfo };
    return socket.write(reply(id, result, `${json}Mcp-Session-Id: ${opened}\r\n`));
  }
  if (!sessions.has(session)) return socket.write(refused("404 Not Found", "Session not found"));
  if (id === undefined) return socket.write(answer("202 Accepted", "", ""));
  if (asked === "tools/list") return socket.write(reply(id, { tools }));
  if (asked !== "tools/call") return socket.write(reply(id, {}));
  const { name, arguments: args } = params;
  if (name === "echo") return socket.write(reply(id, said(args.text)));
  if (name === "bytes") return socket.write(reply(id, said(args.text.padEnd(args.size, "abcdefghij "))));
  return stream(socket, id, args, params._meta?.progressToken);
}

const server = createServer((socket) => {
  let buffered = "";
  socket.setNoDelay(true);
  socket.on("error", () => {});
  socket.on("data", (bytes) => {
    buffered += bytes.latin1Slice();
    for (;;) {
      const end = buffered.indexOf("\r\n\r\n");
      if (end < 0) return;
      const head = buffered.slice(0, end);
      const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
      if (buffered.length < end + 4 + length) return;
      const body = Buffer.from(buffered.slice(end + 4, end + 4 + length), "latin1").toString();
      buffered = buffered.slice(end + 4 + length);
      serve(socket, head, body);
    }
  });
});
server.listen(Number(process.argv[2] ?? 0), "127.0.0.1", () => console.log(server.address().port));
