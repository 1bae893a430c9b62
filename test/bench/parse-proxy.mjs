// The floor of a Node.js gateway that understands JSON: node:http in front, an undici pool behind, `JSON.parse` both ways and
// nothing else. Arguments: the upstream's origin. Prints its port.
import { createServer } from "node:http";
import { Pool } from "undici";

const pool = new Pool(process.argv[2], { connections: 64, pipelining: 1 });
const passed = ["mcp-session-id", "mcp-protocol-version"];

const server = createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", async () => {
    const body = chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
    try {
      if (body.length > 0) JSON.parse(body);
      const headers = { "content-type": "application/json", accept: "application/json, text/event-stream" };
      for (const name of passed) if (request.headers[name]) headers[name] = request.headers[name];
      const { url: path, method } = request;
      const answer = await pool.request({ path, method, headers, body: body.length > 0 ? body : null });
      const text = await answer.body.text();
      if (text !== "" && answer.headers["content-type"] === "application/json") JSON.parse(text);
      const out = { "content-length": Buffer.byteLength(text) };
      for (const name of ["content-type", "mcp-session-id"]) if (answer.headers[name]) out[name] = answer.headers[name];
      response.writeHead(answer.statusCode, out).end(text);
    } catch {
      response.writeHead(502).end();
    }
  });
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
