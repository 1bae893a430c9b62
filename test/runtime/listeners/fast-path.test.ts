import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { defaults } from "../../../runtime/config/index.ts";
import { readBody } from "../../../runtime/listeners/body.ts";
import { FastResponse } from "../../../runtime/listeners/fast-path/index.ts";
import { type BoundServer, httpServer } from "../../../runtime/listeners/http-server.ts";

const maxHeaderBytes = 2048;
/** Of how many requests the answer was made on the fast path. */
let fast = 0;
let bound: BoundServer;
/** The same HTTP server without anything before it. */
let plain: Server;

const listening = async (server: Server) => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
};
beforeAll(async () => {
  bound = httpServer({ ...defaults.connections, maxHeaderBytes }, async (request, response) => {
    fast += Number(response instanceof FastResponse);
    const body = await Promise.resolve(readBody(request, 1_000_000)).catch(() => "refused");
    const text = JSON.stringify({ method: request.method, url: request.url, headers: request.headers, body });
    if (body === "set") response.setHeader("x-set", "1");
    if (body === "events") {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.flushHeaders();
      for (const event of ["one", "two"]) response.write(`data: ${event}\n\n`);
      response.end();
    } else if (body === "bytes") response.writeHead(200, { "content-length": 5 }).end(Buffer.from("bytes"));
    else if (body === "close") response.writeHead(403, { connection: "close", "content-length": 2 }).end("no");
    else if (body === "none") response.writeHead(204).end();
    else if (body === "implicit") response.end("implicit");
    else if (body === "unsound") {
      expect(() => response.writeHead(200, { "x-field": "a\r\nb: c" })).toThrow("Invalid character in header content");
      response.writeHead(500, { "content-length": 0 }).end();
    } else {
      response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(text) });
      response.end(text);
    }
  });
  await listening(bound.listener);
  plain = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => bound.http.emit("connection", socket));
  await listening(plain);
});
afterAll(async () => {
  bound.fastPath?.close(true);
  bound.http.closeAllConnections();
  await Promise.all([bound.listener, plain].map((server) => new Promise((resolve) => server.close(resolve))));
});

/** What a server says to these bytes until nothing has come for a while, or it has closed. */
async function said(server: Server, parts: readonly string[], { quietMs = 100, ends = false } = {}): Promise<string> {
  const { port } = server.address() as AddressInfo;
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: ends, noDelay: true });
  let text = "";
  let last = performance.now();
  socket.on("data", (chunk) => {
    text += chunk.toString("latin1");
    last = performance.now();
  });
  socket.on("error", () => {});
  const closed = once(socket, "close").then(() => " (closed)");
  for (const part of parts) {
    socket.write(part, "latin1");
    await sleep(2);
    last = performance.now();
  }
  if (ends) socket.end();
  const quiet = async () => {
    for (let waited = 0; waited < 2000; waited += 5) {
      await sleep(5);
      if (socket.destroyed) return closed;
      if (text !== "" && performance.now() - last > quietMs) return "";
    }
    return " (silent)";
  };
  const end = await Promise.race([closed, quiet()]);
  socket.destroy();
  return text.replaceAll(/Date: [^\r]+/g, "Date: now") + end;
}

const post = (body: string, fields = "", path = "/mcp/echo") =>
  `POST ${path} HTTP/1.1\r\nHost: localhost\r\n${fields}Content-Length: ${body.length}\r\n\r\n${body}`;
const length = "Content-Length: 2\r\n";

test.each<[string, number, string]>([
  ["the plainest", 1, post("{}")],
  [
    "every field that MCP clients send",
    1,
    post("{}", "Accept: a, b\r\nAuthorization: Bearer x\r\nMcp-Session-Id: 1\r\n"),
  ],
  ["blanks around a value, and an empty one", 1, post("{}", "X-A: \t a b \t\r\nX-B:\r\n")],
  ["a value beyond ASCII", 1, post("{}", "X-A: \xe9\xff\r\n")],
  ["a query", 1, post("{}", "", "/mcp?x=/y")],
  ["two, one behind the other", 2, post("{}") + post("[]")],
  ["three, the last of another kind", 2, post("{}") + post("[]") + post("{}", "", "/api")],
  ["an event stream, and the next request", 2, post("events") + post("{}")],
  ["bytes, and the next request", 2, post("bytes") + post("{}")],
  ["a header set before, and the next request", 2, post("set") + post("{}")],
  ["an implicit head", 1, post("implicit")],
  ["a head that cannot be sent", 1, post("unsound")],
  ["no content", 1, post("none")],
  ["the end of the connection", 1, post("close") + post("{}")],
  ["an empty body", 1, post("")],
  ["a body beyond ASCII", 1, post('{"a":"\xc3\xa9\xef\xbf\xbd"}')],
  ["the same head with another body", 2, post("{}") + post("[]")],
  [
    "the beginning of the same head",
    2,
    post("{}") + post("{}").replace("2\r\n\r\n{}", "20\r\n\r\n{}") + " ".repeat(18),
  ],
  ["kept alive by its own word", 1, post("{}", "Connection: Keep-Alive\r\n")],
  ["closed by its own word", 0, post("{}", "Connection: close\r\n") + post("{}")],
  ["HTTP/1.0", 0, post("{}").replace("1.1", "1.0")],
  ["another path", 0, post("{}", "", "/mcpx")],
  ["an absolute target", 0, post("{}", "", "http://localhost/mcp")],
  ["GET", 0, "GET /mcp HTTP/1.1\r\nHost: localhost\r\n\r\n"],
  ["chunks", 0, "POST /mcp HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"],
  ["chunks and a length", 0, `POST /mcp HTTP/1.1\r\nHost: a\r\n${length}Transfer-Encoding: chunked\r\n\r\n{}`],
  ["two lengths", 0, `POST /mcp HTTP/1.1\r\nHost: a\r\n${length}${length}\r\n{}`],
  ["two different lengths", 0, `POST /mcp HTTP/1.1\r\nHost: a\r\n${length}Content-Length: 3\r\n\r\n{}`],
  ["a signed length", 0, "POST /mcp HTTP/1.1\r\nHost: a\r\nContent-Length: +2\r\n\r\n{}"],
  ["a list as length", 0, "POST /mcp HTTP/1.1\r\nHost: a\r\nContent-Length: 2, 2\r\n\r\n{}"],
  ["no length", 0, "POST /mcp HTTP/1.1\r\nHost: a\r\n\r\n"],
  ["no host", 0, `POST /mcp HTTP/1.1\r\n${length}\r\n{}`],
  ["a field twice", 0, post("{}", "X-A: 1\r\nx-a: 2\r\n")],
  ["a credential twice", 0, post("{}", "Authorization: a\r\nAuthorization: b\r\n")],
  ["a folded field", 0, post("{}", "X-A: 1\r\n 2\r\n")],
  ["a blank before the colon", 0, post("{}", "X-A : 1\r\n")],
  ["a bare line feed", 0, post("{}", "X-A: 1\nX-B: 2\r\n")],
  ["a bare carriage return", 0, post("{}", "X-A: 1\rX-B: 2\r\n")],
  ["a null character", 0, post("{}", "X-A: \0\r\n")],
  ["a name that is none", 0, post("{}", "X(A): 1\r\n")],
  ["an expectation", 0, post("{}", "Expect: 100-continue\r\n")],
  ["an upgrade", 0, post("{}", "Connection: upgrade\r\nUpgrade: websocket\r\n")],
  ["a page's request", 0, post("{}", "Origin: http://localhost\r\n")],
  ["a prototype's name", 0, post("{}", "constructor: 1\r\n")],
  ["a head that is too long", 0, post("{}", `X-A: ${"a".repeat(maxHeaderBytes)}\r\n`)],
  ["a body that is no UTF-8", 0, post("\xff")],
  ["no HTTP", 0, "hello\r\n\r\n"],
  ["TLS", 0, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"],
])("%s: %d on the fast path, and the answer is Node's", async (_name, expected, bytes) => {
  fast = 0;
  const [without, answer] = await Promise.all([plain, bound.listener].map((server) => said(server, [bytes])));
  expect([answer, fast]).toEqual([without, expected]);
  expect(without).not.toContain("silent");
});

test("a request that comes in two parts, wherever it is cut, is answered the same", async () => {
  const bytes = post('{"text":"\xc3\xa9"}', "Accept: application/json\r\n") + post("[]");
  const whole = await said(bound.listener, [bytes]);
  expect(whole.split("HTTP/1.1 200 OK")).toHaveLength(3);
  const cuts = Array.from({ length: bytes.length - 1 }, (_, index) => index + 1);
  const answers = await Promise.all(
    cuts.map((at) => said(bound.listener, [bytes.slice(0, at), bytes.slice(at)], { quietMs: 300 })),
  );
  expect(new Set(answers)).toEqual(new Set([whole]));
});

test.each([
  ["with nothing said", ""],
  ["in the head", "POST /mcp HTTP/1.1\r\nHo"],
  ["in the body", `POST /mcp HTTP/1.1\r\nHost: a\r\n${length}\r\n{`],
  ["behind a request", post("{}")],
  ["in the head behind a request", `${post("{}")}POST /mcp HTTP/1.1\r\nHo`],
  ["in an event stream", post("events")],
])("a connection that is half closed %s ends as Node's does", async (_where, bytes) => {
  const servers = [plain, bound.listener];
  const [without, answer] = await Promise.all(servers.map((server) => said(server, [bytes], { ends: true })));
  expect(answer).toBe(without);
  expect(without).toContain("(closed)");
});

test("a long body is answered by Node's server", async () => {
  fast = 0;
  const answer = await said(bound.listener, [post("x".repeat(200_000))], { quietMs: 200 });
  expect([answer.slice(0, 15), answer.length > 200_000, fast]).toEqual(["HTTP/1.1 200 OK", true, 0]);
});

test("connections end that are not used: the first time, and again after a request", async () => {
  const { listener, http } = httpServer(
    { ...defaults.connections, headersTimeoutMs: 50, keepAliveTimeoutMs: 50 },
    (_request, response) => response.writeHead(200).end("once"),
  );
  await listening(listener);
  const { port } = listener.address() as AddressInfo;
  const silent = connect(port, "127.0.0.1");
  const used = connect(port, "127.0.0.1");
  used.write(post("{}"));
  const [first] = await once(used, "data");
  expect(String(first)).toContain("once");
  await Promise.all([once(silent, "close"), once(used.resume(), "close")]);
  await new Promise((resolve) => listener.close(resolve));
  expect(http.listening).toBe(false);
});

test("whoever stops serving ends what is idle at once, and the rest with its answer", async () => {
  const asked = Promise.withResolvers<void>();
  const { listener, fastPath } = httpServer(defaults.connections, async (_request, response) => {
    asked.resolve();
    await sleep(50);
    response.writeHead(200).end("last");
  });
  await listening(listener);
  const { port } = listener.address() as AddressInfo;
  const idle = connect(port, "127.0.0.1");
  const busy = connect(port, "127.0.0.1");
  busy.write(post("{}"));
  let text = "";
  busy.on("data", (chunk) => {
    text += chunk;
  });
  await asked.promise;
  const closed = new Promise((resolve) => listener.close(resolve));
  fastPath?.close();
  await Promise.all([once(idle, "close"), once(busy, "close"), closed]);
  expect(text).toContain("last");
});
