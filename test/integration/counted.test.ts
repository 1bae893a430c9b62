import { connect } from "node:net";
import { createInterface } from "node:readline";
import { afterEach, describe, expect, test } from "@jest/globals";
import { request } from "undici";
import { WebSocket } from "ws";
import type { Gateway } from "../../runtime/config/schema/index.ts";
import { statefulServer, TestGateway } from "../support/gateway.ts";

let it: TestGateway;
afterEach(() => it.close());

const start = async (maxRequests: number, gateway: Partial<Gateway> = {}) => {
  it = await TestGateway.start({
    gateway: { rateLimiting: { caller: { windowMs: 600_000, maxRequests } }, ...gateway },
    servers: { notes: statefulServer({ isolation: "shared" }) },
  });
};

const initialize = {
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "raw", version: "1" } },
};
const envelope = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientCapabilities": {},
};
const both = { "content-type": "application/json", accept: "application/json, text/event-stream" };

async function post(body: unknown, headers: Record<string, string> = {}, path = "/mcp") {
  const answer = await request(`${it.url}${path}`, {
    method: "POST",
    headers: { ...both, ...headers },
    body: JSON.stringify(body),
  });
  const text = await answer.body.text();
  return { status: answer.statusCode, headers: answer.headers, text };
}
const modern = (method: string, params: Record<string, unknown> = {}, path = "/mcp") =>
  post(
    { jsonrpc: "2.0", id: 1, method, params: { ...params, _meta: envelope } },
    {
      "mcp-protocol-version": "2026-07-28",
      "mcp-method": method,
      ...(typeof params.name === "string" ? { "mcp-name": params.name } : {}),
    },
    path,
  );

describe("a caller's limit counts", () => {
  test("initialize: the third one of two is refused with 429 and a time to come back", async () => {
    await start(2);
    const answers = [];
    for (let round = 0; round < 3; round += 1) answers.push(await post(initialize));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 429]);
    expect(answers[2]?.headers["retry-after"]).toMatch(/^(600|599)$/);
    expect(JSON.parse(answers[2]?.text as string)).toMatchObject({ id: 1, error: { data: { code: "RATE_LIMITED" } } });
  });

  test("initialize over WebSocket, and over HTTP+SSE alike", async () => {
    await start(2);
    const codes: unknown[] = [];
    for (let round = 0; round < 3; round += 1) {
      const socket = new WebSocket(`${it.url.replace("http", "ws")}/ws`, "mcp");
      socket.on("open", () => socket.send(JSON.stringify(initialize)));
      const data = await new Promise((resolve) => socket.once("message", resolve));
      codes.push(JSON.parse(String(data)).error?.data.code);
      socket.close();
    }
    expect(codes).toEqual([undefined, undefined, "RATE_LIMITED"]);
  });

  test("server/discover, and everything that find_tools and describe_tools do", async () => {
    await start(4, { toolSearch: true });
    expect((await modern("server/discover")).status).toBe(200);
    expect((await modern("tools/list")).status).toBe(200);
    const find = { name: "find_tools", arguments: { query: "count" } };
    expect((await modern("tools/call", find)).status).toBe(200);
    expect((await modern("tools/call", { name: "describe_tools", arguments: { names: [] } })).status).toBe(200);
    for (const refused of [
      await modern("tools/call", find),
      await modern("tools/call", { name: "describe_tools", arguments: { names: [] } }),
      await modern("tools/call", { name: "call_tool", arguments: { name: "notes__count" } }),
      await modern("tools/list"),
      await modern("server/discover"),
    ]) {
      expect([refused.status, refused.headers["retry-after"]]).toEqual([429, expect.stringMatching(/^(600|599)$/)]);
    }
  });

  test("call_tool once, not twice", async () => {
    await start(2, { toolSearch: true });
    const call = { name: "call_tool", arguments: { name: "notes__count" } };
    expect((await modern("tools/call", call)).headers["ratelimit-remaining"]).toBe("1");
    expect((await modern("tools/call", call)).headers["ratelimit-remaining"]).toBe("0");
  });

  test("the lists of the REST interface and its OpenAPI document", async () => {
    await start(3);
    const statuses: unknown[] = [];
    const ask = async (path: string) => {
      const { statusCode, headers, body } = await request(it.url + path);
      await body.dump();
      statuses.push([statusCode, headers["ratelimit-remaining"]]);
    };
    for (const path of ["/api/v1/servers", "/api/v1/servers/notes", "/openapi.json"]) await ask(path);
    for (const path of ["/openapi.json", "/api/v1/servers", "/%61pi/v1/servers/notes"]) await ask(path);
    for (const path of ["/health", "/ready", "/metrics"]) await ask(path);
    expect(statuses).toEqual([
      ...[["2"], ["1"], ["0"]].map(([left]) => [200, left]),
      ...[429, 429, 429].map((status) => [status, "0"]),
      ...[200, 200, 200].map((status) => [status, undefined]),
    ]);
  });

  test("a subscription by the number of its resources; a refused one costs nothing", async () => {
    await start(30);
    const listen = (count: number) => {
      const resourceSubscriptions = Array.from({ length: count }, (_none, index) => `notes+file:///${index}`);
      return modern("subscriptions/listen", { notifications: { resourceSubscriptions } });
    };
    const refused = await listen(31);
    expect([refused.status, JSON.parse(refused.text).error.message]).toEqual([
      429,
      "Too many requests: this one counts as 31, and 30 are allowed at once; ask for less",
    ]);
    const socket = connect(Number(new URL(it.url).port), "127.0.0.1");
    const body = JSON.stringify({
      jsonrpc: "2.0",
      id: 1,
      method: "subscriptions/listen",
      params: {
        notifications: {
          resourceSubscriptions: Array.from({ length: 29 }, (_none, index) => `notes+file:///${index}`),
        },
        _meta: envelope,
      },
    });
    socket.write(
      `POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\n` +
        `MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: subscriptions/listen\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
    expect((await lines.next()).value).toBe("HTTP/1.1 200 OK");
    socket.destroy();
    expect((await modern("tools/list")).headers["ratelimit-remaining"]).toBe("0");
    expect((await modern("tools/list")).status).toBe(429);
  });

  test("notifications, of which those past the limit go nowhere", async () => {
    await start(3);
    const { headers } = await post(initialize);
    const session = { "mcp-session-id": headers["mcp-session-id"] as string };
    const notify = (method: string) => post({ jsonrpc: "2.0", method }, session).then(({ status }) => status);
    expect(await notify("notifications/initialized")).toBe(202);
    expect(await notify("notifications/roots/list_changed")).toBe(202);
    expect(await notify("notifications/roots/list_changed")).toBe(202);
    expect(await notify("notifications/roots/list_changed")).toBe(202);
    expect((await post({ jsonrpc: "2.0", id: 2, method: "tools/list" }, session)).status).toBe(429);
  });
});
