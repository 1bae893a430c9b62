import { once } from "node:events";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { statefulServer, TestGateway } from "../support/gateway.ts";

let it: TestGateway;
beforeAll(async () => {
  const bearerTokens = [
    { name: "ann", token: "ann-token", roles: ["admin"] },
    { name: "bob", token: "bob-token" },
  ];
  const admins = { roles: ["admin"] };
  it = await TestGateway.start({
    gateway: {
      auth: { bearerTokens, listeners: { metrics: admins, dashboard: admins, ws: admins } },
      authorization: { default: "deny", rules: [{ effect: "allow", callers: ["*"], servers: ["open"] }] },
    },
    servers: { open: statefulServer(), hidden: statefulServer() },
  });
});
afterAll(() => it.close());

/** What the gateway says to these bytes before it closes the connection. */
async function said(bytes: string | readonly string[]): Promise<string> {
  const socket = connect(Number(new URL(it.url).port), "127.0.0.1");
  let text = "";
  socket.on("data", (chunk) => (text += chunk));
  socket.on("error", () => {});
  const closed = once(socket, "close");
  for (const piece of [bytes].flat()) {
    socket.write(piece, "latin1");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await closed;
  return text;
}
const host = () => new URL(it.url).host;
const bob = "Authorization: Bearer bob-token\r\n";
const statusOf = (answer: string) => Number(answer.slice(9, 12));
const ask = async (target: string, more = "", method = "GET") =>
  statusOf(await said(`${method} ${target} HTTP/1.1\r\nHost: ${host()}\r\n${bob}Connection: close\r\n${more}\r\n`));

describe("what one interface requires holds for every spelling of its path", () => {
  test.each([
    "/metrics",
    "/%6detrics",
    "/metric%73",
    "/%6D%65%74%72%69%63%73",
    "/metrics?x=1",
    "/metrics/",
    "/metrics/x",
    "/dashboard/data",
    "/%64ashboard/data",
    "/dashboard/%64ata",
    "/dashboard/data?x",
  ])("%s", async (target) => {
    expect(await ask(target)).toBe(403);
    expect(await ask(target, "", "HEAD")).toBe(403);
    expect(await ask(target, "", "OPTIONS")).toBe(403);
    expect(await ask(`http://${host()}${target}`)).toBe(403);
    expect(await ask(target, "Connection: Upgrade\r\nUpgrade: websocket\r\n")).toBe(404);
  });

  test.each([
    "//metrics",
    "/./metrics",
    "/health/../metrics",
    "/health/%2e%2e/metrics",
    "/%256detrics",
    "/metrics%2f",
    "/metrics;x",
    "/metrics%3Bx",
    "/metrics#x",
    "/metrics%00",
    "/metrics%",
    "*",
    "/x/..%2fmetrics",
    "/\\metrics",
  ])("%s is refused", async (target) => {
    expect(await ask(target)).toBe(400);
  });

  test("the host of a URL counts, and the Host field beside it does not", async () => {
    const get = (target: string, field: string) =>
      said(`GET ${target} HTTP/1.1\r\nHost: ${field}\r\nConnection: close\r\n\r\n`).then(statusOf);
    expect(await get("http://x/health", host())).toBe(403);
    expect(await get("https://evil.example/metrics", host())).toBe(403);
    expect(await get("http://localhost@evil.example/health", host())).toBe(403);
    expect(await get("http://evil.example@localhost/health", host())).toBe(403);
    expect(await get(`http://${host()}/health`, "evil.example")).toBe(200);
    expect(await get("/health", "evil@localhost")).toBe(403);
    expect(await get("/health", "localhost/x")).toBe(403);
  });

  test("a WebSocket is opened under no other spelling", async () => {
    const open = (target: string) =>
      ask(
        target,
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n",
      );
    expect(await open("/ws")).toBe(403);
    expect(await open("/%77s")).toBe(403);
    expect(await open("/ws/")).toBe(403);
    expect(await open("//ws")).toBe(400);
    expect(await open(`http://${host()}/ws`)).toBe(403);
    expect(await open("http://evil.example/ws")).toBe(403);
  });
});

describe("/mcp and /mcp/<server>", () => {
  const list =
    '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{}}}';
  const post = async (target: string, accept = "application/json, text/event-stream") =>
    said(
      `POST ${target} HTTP/1.1\r\nHost: ${host()}\r\n${bob}Connection: close\r\nAccept: ${accept}\r\n` +
        `Content-Type: application/json\r\nContent-Length: ${list.length}\r\n\r\n${list}`,
    );

  test.each(["/mcp", "/mcp/", "/mcp/open", "/mcp/open/", "/%6dcp/op%65n", "/mcp?x=1"])(
    "%s is served, as it is by its URL",
    async (target) => {
      expect(statusOf(await post(target))).toBe(200);
      expect(statusOf(await post(`http://${host()}${target}`))).toBe(200);
    },
  );

  test("a server that the caller cannot reach answers like one that is not there", async () => {
    const text = async (target: string) =>
      (await post(target)).replace(/^date:.*\r\n/im, "").replaceAll("hidden", "absent");
    expect(await text("/mcp/hidden")).toBe(await text("/mcp/absent"));
    expect(await text("/mcp/hidden")).toContain('no server is called \\"absent\\"; GET /api/v1/servers lists them');
    const sse = async (name: string) =>
      (await said(`GET /sse/${name} HTTP/1.1\r\nHost: ${host()}\r\n${bob}\r\n`)).replace(/^date:.*\r\n/im, "");
    expect((await sse("hidden")).replaceAll("hidden", "absent")).toBe(await sse("absent"));
  });
});

test("/ready tells a caller without a credential no names, and others those of their own servers", async () => {
  const body = async (more: string) => {
    const answer = await said(`GET /ready HTTP/1.1\r\nHost: ${host()}\r\nConnection: close\r\n${more}\r\n`);
    return [statusOf(answer), JSON.parse(answer.slice(answer.indexOf("\r\n\r\n") + 4))];
  };
  while ((await body(""))[0] === 503) await new Promise((resolve) => setTimeout(resolve, 20));
  expect(await body("")).toEqual([200, { ready: true, counts: { ready: 2 } }]);
  expect(await body(bob)).toEqual([200, { ready: true, servers: { open: "ready" } }]);
  expect((await body("Authorization: Bearer nobody\r\n"))[0]).toBe(401);
});

describe("a request that has two readings is refused, on the fast path and behind it", () => {
  const text = '{"jsonrpc":"2.0","id":1,"method":"ping"}';
  const chunked = `${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`;
  const head = (line: string, ...fields: string[]) => [line, `Host: ${host()}`, ...fields, "", ""].join("\r\n");
  const json = "Content-Type: application/json";
  const length = `Content-Length: ${text.length}`;

  test.each<[string, () => string]>([
    ["two Host fields", () => head("POST /mcp HTTP/1.1", "Host: localhost", json, length) + text],
    ["two Host fields, GET", () => head("GET /health HTTP/1.1", "Host: localhost")],
    ["two credentials", () => head("GET /metrics HTTP/1.1", bob.trim(), "authorization: Bearer ann-token")],
    ["two origins", () => head("GET /health HTTP/1.1", "Origin: http://localhost", "Origin: http://evil.example")],
    ["gzip, chunked", () => head("POST /mcp HTTP/1.1", json, "Transfer-Encoding: gzip, chunked") + chunked],
    ["identity, chunked", () => head("POST /mcp HTTP/1.1", json, "Transfer-Encoding: identity, chunked") + chunked],
    [",chunked", () => head("POST /mcp HTTP/1.1", json, "Transfer-Encoding: ,chunked") + chunked],
    ["chunked twice", () => head("POST /mcp HTTP/1.1", json, "Transfer-Encoding: chunked, chunked") + chunked],
    ["chunks in HTTP/1.0", () => head("POST /mcp HTTP/1.0", json, "Transfer-Encoding: chunked") + chunked],
    ["a length and chunks", () => head("POST /mcp HTTP/1.1", json, length, "Transfer-Encoding: chunked") + chunked],
    ["two lengths", () => head("POST /mcp HTTP/1.1", json, length, length) + text],
    ["two spaces before the target", () => head("POST  /mcp HTTP/1.1", json, length) + text],
    ["two spaces behind the target", () => head("POST /mcp  HTTP/1.1", json, length) + text],
    ["two spaces behind an empty line", () => `\r\n${head("GET  /health HTTP/1.1")}`],
    ["a folded field", () => head("POST /mcp HTTP/1.1", "X: a\r\n b", json, length) + text],
    ["a bare CR", () => head("POST /mcp HTTP/1.1", "X: a\rY: b", json, length) + text],
    ["a bare LF", () => head("POST /mcp HTTP/1.1", "X: a\nY: b", json, length) + text],
    ["a blank before a colon", () => head("POST /mcp HTTP/1.1", "X : a", json, length) + text],
  ])("%s", async (_name, bytes) => {
    const whole = bytes();
    expect(statusOf(await said(whole))).toBe(400);
    expect(statusOf(await said([whole.slice(0, 9), whole.slice(9)]))).toBe(400);
  });
});

test("a request that offers HTTP/2 is answered like one that does not, and comes into no other interface by that", async () => {
  const offer = "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings, close\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n";
  const to = async (target: string) =>
    statusOf(await said(`GET ${target} HTTP/1.1\r\nHost: ${host()}\r\n${bob}${offer}\r\n`));
  expect([await to("/api/v1/servers"), await to("/metrics"), await to("/ws/open"), await to("/nothing")]).toEqual([
    ...[200, 403, 404, 404],
  ]);
});
