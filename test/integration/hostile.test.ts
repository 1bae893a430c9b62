import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { request } from "undici";
import { WebSocket } from "ws";
import { say, statefulServer, TestGateway } from "../support/gateway.ts";

// What broken and hostile clients send, item by item; test/fuzz makes up more of each kind.
let gateway: TestGateway;
let session: Record<string, string>;
const stateless = "2026-07-28";
const key = "io.modelcontextprotocol";
const envelope = { [`${key}/protocolVersion`]: stateless, [`${key}/clientCapabilities`]: {} };
const both = { "content-type": "application/json", accept: "application/json, text/event-stream" };

beforeAll(async () => {
  gateway = await TestGateway.start({
    gateway: { listeners: { tcp: { port: 0 } } },
    servers: { stateful: statefulServer({ isolation: "shared", tools: { deny: ["crash"] } }) },
  });
  const params = { protocolVersion: "2025-11-25", capabilities: {} };
  const opened = await post({ jsonrpc: "2.0", id: 0, method: "initialize", params }, {});
  session = { "mcp-session-id": opened.headers["mcp-session-id"] as string };
});
afterAll(() => gateway.close());

async function post(body: unknown, headers: Record<string, string>) {
  const bytes = typeof body === "string" || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  const options = { method: "POST" as const, headers: { ...both, ...headers }, body: bytes };
  const answer = await request(`${gateway.url}/mcp`, options);
  const text = await answer.body.text();
  return { status: answer.statusCode, headers: answer.headers, body: text === "" ? undefined : JSON.parse(text) };
}

/** Status, id and error code of an answer. */
async function verdict(body: unknown, headers: Record<string, string>): Promise<unknown[]> {
  const { status, body: said } = await post(body, headers);
  return [status, said?.id, said?.error?.code];
}

const modernHeaders = (method: string, more: Record<string, string> = {}) => ({
  ...{ "mcp-protocol-version": stateless, "mcp-method": method },
  ...more,
});

const deep = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
const oneBad = Buffer.from('{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":"?"}}');
oneBad[oneBad.indexOf("?")] = 0xff;

describe("over HTTP, session era", () => {
  test.each([
    ["null", null, [400, null, -32600]],
    ["true", true, [400, null, -32600]],
    ["an object", {}, [400, null, -32600]],
    ["an array", [1], [400, null, -32600]],
    ["a text", "a", [200, "a", undefined]],
    ["an empty text", "", [200, "", undefined]],
    ["an integer", 7, [200, 7, undefined]],
    ["a negative one", -1, [200, -1, undefined]],
    ["a fraction", 1.5, [200, 1.5, undefined]],
    ["a great number", 2 ** 53, [200, 2 ** 53, undefined]],
    ["a greater number", 2 ** 54, [200, 2 ** 54, undefined]],
    ["a long text", "a".repeat(1024), [200, "a".repeat(1024), undefined]],
    ["a text of a megabyte", "a".repeat(1 << 20), [400, null, -32600]],
  ])("an id that is %s", async (_what, id, expected) => {
    expect(await verdict({ jsonrpc: "2.0", id, method: "ping" }, session)).toEqual(expected);
  });

  test("a request without an id is a notification, and is taken", async () => {
    expect(await verdict({ jsonrpc: "2.0", method: "ping" }, session)).toEqual([202, undefined, undefined]);
  });

  test("bytes that are no UTF-8 are refused, not replaced", async () => {
    expect(await verdict(oneBad, session)).toEqual([400, null, -32700]);
  });

  test.each([600, 1_000_000])("%d levels of nesting are refused", async (depth) => {
    const call = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"stateful__count","arguments":{"x":${deep(depth)}}}}`;
    expect(await verdict(call, session)).toEqual([400, null, -32600]);
    expect(await verdict(deep(depth), session)).toEqual([400, null, -32600]);
  });

  test.each([
    ["tools/count", `{"x":${deep(200_000)}}`],
    ["requests", `{"method":"count","params":{"x":${deep(200_000)}}}`],
    ["requests", `{"method":"count","metadata":{"x":${deep(200_000)}}}`],
  ])("nor over REST (%s)", async (path, body) => {
    const headers = { "content-type": "application/json" };
    const answer = await fetch(`${gateway.url}/api/v1/servers/stateful/${path}`, { method: "POST", headers, body });
    expect([answer.status, await answer.json()]).toEqual([
      400,
      {
        error: {
          code: -32600,
          message: "Invalid request: it nests deeper than 512 levels",
          data: { code: "INVALID_REQUEST" },
        },
      },
    ]);
  });

  test("brackets inside a text are no nesting", async () => {
    const params = { x: `"\\${"[".repeat(5000)}` };
    expect(await verdict({ jsonrpc: "2.0", id: 1, method: "ping", params }, session)).toEqual([200, 1, undefined]);
  });

  test("of keys that come twice the last one counts, for the gateway's rules as for the server", async () => {
    const call =
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"stateful__count","name":"stateful__crash"}}';
    expect(await verdict(call, session)).toEqual([200, 1, -32602]);
    const ids = '{"jsonrpc":"2.0","id":{},"id":"last","method":"ping","method":"ping"}';
    expect(await verdict(ids, session)).toEqual([200, "last", undefined]);
  });
});

describe("over HTTP, stateless era", () => {
  const message = (method: string, params: object = {}) => ({
    ...{ jsonrpc: "2.0", id: "m", method },
    params: { ...params, _meta: envelope },
  });
  const call = message("tools/call", { name: "stateful__count", arguments: {} });

  test.each([
    [
      "no method in the headers",
      call,
      { "mcp-protocol-version": stateless, "mcp-name": "stateful__count" },
      [400, "m", -32020],
    ],
    ["another method", call, modernHeaders("tools/list", { "mcp-name": "stateful__count" }), [400, "m", -32020]],
    ["another name", call, modernHeaders("tools/call", { "mcp-name": "stateful__where" }), [400, "m", -32020]],
    ["no name", call, modernHeaders("tools/call"), [400, "m", -32020]],
    [
      "a name that is not rightly encoded",
      call,
      modernHeaders("tools/call", { "mcp-name": "=?base64?!?=" }),
      [400, "m", -32020],
    ],
    [
      "another revision",
      call,
      { ...modernHeaders("tools/call"), "mcp-protocol-version": "2025-11-25" },
      [400, "m", -32020],
    ],
    [
      "a revision that nobody knows",
      { ...call, params: { ...call.params, _meta: { ...envelope, [`${key}/protocolVersion`]: "2099-01-01" } } },
      { ...modernHeaders("tools/call", { "mcp-name": "stateful__count" }), "mcp-protocol-version": "2099-01-01" },
      [400, "m", -32022],
    ],
    [
      "no capabilities",
      { ...call, params: { name: "stateful__count", _meta: { [`${key}/protocolVersion`]: stateless } } },
      modernHeaders("tools/call", { "mcp-name": "stateful__count" }),
      [400, "m", -32602],
    ],
    ["an unknown method", message("no/such"), modernHeaders("no/such"), [404, "m", -32601]],
    ["a method of the session era", message("ping"), modernHeaders("ping"), [404, "m", -32601]],
    ["an id that is null", { ...message("tools/list"), id: null }, modernHeaders("tools/list"), [400, null, -32600]],
    ["a batch", [message("tools/list")], modernHeaders("tools/list"), [400, null, -32600]],
    ["a right call", call, modernHeaders("tools/call", { "mcp-name": "stateful__count" }), [200, "m", undefined]],
  ])("%s", async (_what, body, headers, expected) => {
    expect(await verdict(body, headers)).toEqual(expected);
  });
});

test("over TCP deep nesting is refused and the connection goes on; bytes that are no UTF-8 end it", async () => {
  const socket = connect(gateway.gateway.tcpPort as number, "127.0.0.1");
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  const answer = async (line: string | Buffer) => {
    socket.write(Buffer.concat([Buffer.from(line), Buffer.from("\n")]));
    return JSON.parse((await lines.next()).value as string);
  };
  expect(await answer('{"jsonrpc":"2.0","id":1,"method":"ping"}')).toEqual({ jsonrpc: "2.0", id: 1, result: {} });
  expect(await answer(`{"jsonrpc":"2.0","id":1,"method":"ping","params":${deep(600)}}`)).toMatchObject({
    ...{ id: null, error: { code: -32600 } },
  });
  expect(await answer('{"jsonrpc":"2.0","id":2,"method":"ping"}')).toEqual({ jsonrpc: "2.0", id: 2, result: {} });
  expect(await answer(oneBad)).toMatchObject({ id: null, error: { code: -32700 } });
  expect(await lines.next()).toEqual({ done: true, value: undefined });
});

test("over WebSocket bytes that are no UTF-8 close the connection with 1007 (RFC 6455, section 8.1)", async () => {
  const socket = new WebSocket(`${gateway.url.replace("http", "ws")}/ws`);
  await once(socket, "open");
  socket.send(oneBad, { binary: false });
  expect((await once(socket, "close"))[0]).toBe(1007);
});

/** Resolves with everything that the gateway says until it closes the connection. */
async function untilClosed(socket: Socket): Promise<string> {
  let said = "";
  socket.on("data", (chunk) => {
    said += chunk;
  });
  socket.on("error", () => {});
  await once(socket, "close");
  return said;
}
const head = "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";

test.each([
  ["before the head is whole", "POST /mcp HTTP/1.1\r\nHo", "HTTP/1.1 400"],
  ["before the body is whole", `${head}Content-Length: 100\r\n\r\n{`, "HTTP/1.1 400"],
  ["with nothing said", "", ""],
])("a socket that is half closed %s is closed", async (_what, bytes, expected) => {
  const socket = connect({ port: Number(new URL(gateway.url).port), host: "127.0.0.1", allowHalfOpen: true });
  socket.write(bytes);
  socket.end();
  socket.on("end", () => socket.destroy());
  expect((await untilClosed(socket)).slice(0, 12)).toBe(expected);
});

test("a socket that is half closed after a whole request gets its answer", async () => {
  const body = '{"jsonrpc":"2.0","id":1,"method":"ping"}';
  const socket = connect({ port: Number(new URL(gateway.url).port), host: "127.0.0.1", allowHalfOpen: true });
  const id = `Mcp-Session-Id: ${session["mcp-session-id"]}\r\n`;
  socket.end(`${head}${id}Content-Length: ${body.length}\r\n\r\n${body}`);
  socket.on("end", () => socket.destroy());
  expect(await untilClosed(socket)).toContain('{"jsonrpc":"2.0","id":1,"result":{}}');
});

test("none of this has touched anybody's state", async () => {
  const client = await gateway.connect("/mcp/stateful");
  expect(await say(client, "count")).toMatchObject({ count: 2 });
  expect(gateway.gateway.status().servers).toMatchObject([{ inFlight: 0, waiting: 0, restarts: 0 }]);
});
