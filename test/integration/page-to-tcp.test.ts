import { once } from "node:events";
import { connect } from "node:net";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { request } from "undici";
import { statefulServer, TestGateway } from "../support/gateway.ts";

// What a page in a browser can send: HTTP requests whose target, some fields and body are its own choice.
let it: TestGateway;
beforeAll(async () => {
  it = await TestGateway.start({
    gateway: { listeners: { tcp: { port: 0 } } },
    servers: { notes: statefulServer({ isolation: "shared" }) },
  });
});
afterAll(() => it.close());

/** All that the TCP listener says to these bytes before it closes the connection. */
async function said(...pieces: (string | Buffer)[]): Promise<string> {
  const socket = connect(it.gateway.tcpPort as number, "127.0.0.1");
  let text = "";
  socket.on("data", (chunk) => (text += chunk));
  socket.on("error", () => {});
  const closed = new Promise((resolve) => socket.once("close", resolve));
  for (const piece of pieces) {
    const before = text;
    socket.write(piece);
    await new Promise((resolve) => setTimeout(resolve, 5));
    // A client's messages are answered before the next piece.
    while (piece.includes(ping) && text === before) await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await closed;
  return text;
}

/** How often the tool has been called, this question included. */
async function count(): Promise<number> {
  const answer = await request(`${it.url}/api/v1/servers/notes/tools/count`, { method: "POST" });
  const { result } = (await answer.body.json()) as { result: { content: { text: string }[] } };
  return JSON.parse(result.content[0]?.text as string).count;
}

const call = JSON.stringify({
  jsonrpc: "2.0",
  id: 1,
  method: "tools/call",
  params: {
    name: "notes__count",
    arguments: {},
    _meta: {
      "io.modelcontextprotocol/protocolVersion": "2026-07-28",
      "io.modelcontextprotocol/clientCapabilities": {},
    },
  },
});
const ping = '{"jsonrpc":"2.0","id":7,"method":"ping"}';
const pong = '{"jsonrpc":"2.0","id":7,"result":{}}\n';
const refusal =
  '{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"the line is not a JSON-RPC message; ' +
  'send one JSON object a line, encoded as UTF-8, and no HTTP","data":{"code":"PARSE_ERROR"}}}\n';
const http = (target = "/") =>
  [
    `POST ${target} HTTP/1.1`,
    "Host: 127.0.0.1",
    "Origin: http://evil.example",
    "Content-Type: text/plain",
    "",
    "",
  ].join("\r\n");

test("a call by itself is executed", async () => {
  const before = await count();
  const socket = connect(it.gateway.tcpPort as number, "127.0.0.1");
  socket.write(`${call}\n`);
  await once(socket, "data");
  socket.destroy();
  expect(await count()).toBe(before + 2);
});

test.each<[string, (string | Buffer)[]]>([
  ["in one packet", [`${http()}${call}\n`]],
  ["in pieces", ["PO", "ST / HT", "TP/1.1\r", "\nHost: 127.0.0.1\r\n", "\r\n", `${call}\n`]],
  ["head and body", [http(), `${call}\n`]],
  ["with line feeds", [`${http().replaceAll("\r", "")}${call}\n`]],
  ["with a target that is a message", [`${http(`/{"jsonrpc":"2.0"}`)}${call}\n`]],
  ["behind a byte order mark", [`\ufeff${http()}${call}\n`]],
  ["as a message behind a byte order mark", [`\ufeff${call}\n`, `${call}\n`]],
  ["behind a PROXY header", [`PROXY TCP4 1.2.3.4 1.2.3.4 1 1\r\n${call}\n`]],
  ["behind empty lines", [`\r\n\n${http()}${call}\n`]],
  ["as the fields alone", [`Host: 127.0.0.1\r\n\r\n${call}\n`]],
  ["with a TLS greeting", [Buffer.from("16030100", "hex"), `\n${call}\n`]],
  ["as a batch that comes first", [`[${call}]\n${call}\n`]],
  ["as a text", [`"${call.replaceAll('"', '\\"')}"\n${call}\n`]],
])("a page's request executes nothing: %s", async (_how, pieces) => {
  const before = await count();
  expect(await said(...pieces)).toBe(refusal);
  expect(await count()).toBe(before + 1);
});

test.each<[string, string]>([
  ["a request line", http()],
  ["a field", "Host: 127.0.0.1\r\n"],
  ["a chunk's length", "5a\r\n"],
  ["no JSON", "nonsense\n"],
  ["a number", "1\n"],
])("a connection that was a client's ends with %s", async (_what, line) => {
  const before = await count();
  expect(await said(`${ping}\n`, `${line}${call}\n`)).toBe(`${pong}${refusal}`);
  expect(await count()).toBe(before + 1);
});

test("an object that is no message ends a connection that begins with it, and is answered on another", async () => {
  const wrong =
    '{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"Invalid request: \\"jsonrpc\\" must be \\"2.0\\"","data":{"code":"INVALID_REQUEST"}}}\n';
  expect(await said(`{"id":1}\n${call}\n`)).toBe(wrong);
  expect(await said(`${ping}\n`, '{"id":1}\n', `${ping}\n`, "{\n")).toBe(
    `${pong}${wrong}${pong}{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"the body is not JSON; send one JSON-RPC message encoded as UTF-8","data":{"code":"PARSE_ERROR"}}}\n`,
  );
});

test("a line longer than gateway.maxBodyBytes cuts the connection", async () => {
  expect(await said(`${ping}\n`, Buffer.alloc(5 * 1024 * 1024, "{"))).toBe(pong);
});

test.each([
  ["/mcp", "text/plain", 415],
  ["/mcp", "application/x-www-form-urlencoded", 415],
  ["/mcp", "multipart/form-data; boundary=application/json", 415],
  ["/mcp", "application/jsonp", 415],
  ["/mcp", undefined, 415],
  ["/mcp", "Application/JSON; charset=utf-8", 200],
  ["/messages?sessionId=", "text/plain", 415],
  ["/api/v1/servers/notes/tools/count", "text/plain", 415],
  ["/api/v1/servers/notes/tools/count", "application/x-www-form-urlencoded", 415],
  ["/api/v1/servers/notes/requests", "text/plain", 415],
])("POST %s of type %s, as a page can send it without asking, is answered %s", async (path, type, status) => {
  const headers = {
    accept: "application/json, text/event-stream",
    ...(type === undefined ? {} : { "content-type": type }),
  };
  const at = path.startsWith("/messages") ? path + (await stream()) : path;
  const body =
    '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{}}}';
  const answer = await request(`${it.url}${at}`, { method: "POST", headers, body });
  await answer.body.dump();
  expect(answer.statusCode).toBe(status);
});

/** Opens an event stream of 2024-11-05; resolves with its id. */
async function stream(): Promise<string> {
  const { body } = await request(`${it.url}/sse`);
  for await (const chunk of body) return /sessionId=(\S+)/.exec(String(chunk))?.[1] as string;
  return "";
}
