import { once } from "node:events";
import { createServer, type Server as HttpServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { json } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { request } from "undici";
import type { Server } from "../../runtime/config/schema/index.ts";
import { TestGateway } from "../support/gateway.ts";
import { sessionOver, statelessOver, type Way } from "../support/ways-in.ts";

// bob may use something of `one`, nothing of `two` by a rule and of `ops` for want of a role: nothing tells him that these
// exist and `nah` does not.
let upstream: HttpServer;
let gateway: TestGateway;
let asked = 0;
const bob = { authorization: "Bearer bob-has-a-token-of-some-length-here" };

beforeAll(async () => {
  upstream = createServer(async (incoming, response) => {
    if (incoming.method !== "POST") {
      response.writeHead(405).end();
      return;
    }
    const { id, method, params } = (await json(incoming)) as {
      id?: unknown;
      method: string;
      params?: { name?: string };
    };
    const capabilities = { tools: {}, prompts: {}, resources: { subscribe: true }, completions: {} };
    const serverInfo = { name: "s", version: "1" };
    if (!["initialize", "server/discover", "notifications/initialized", "tools/list"].includes(method)) asked += 1;
    const result =
      method === "initialize"
        ? { protocolVersion: "2025-11-25", capabilities, serverInfo }
        : {
            tools: [{ name: "echo", inputSchema: { type: "object" } }],
            content: [{ type: "text", text: params?.name }],
          };
    const body = method === "server/discover" ? { error: { code: -32601, message: "no" } } : { result };
    response.writeHead(id === undefined ? 202 : 200, { "content-type": "application/json" });
    response.end(id === undefined ? "" : JSON.stringify({ jsonrpc: "2.0", id, ...body }));
  });
  await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
  const server: Server = {
    type: "custom",
    isolation: "shared",
    endpoints: [`http://127.0.0.1:${(upstream.address() as AddressInfo).port}/mcp`],
  };
  gateway = await TestGateway.start({
    gateway: {
      auth: { bearerTokens: [{ name: "bob", token: bob.authorization.slice("Bearer ".length) }] },
      authorization: { default: "allow", rules: [{ effect: "deny", servers: ["two"] }] },
    },
    servers: { one: server, two: server, ops: { ...server, auth: { roles: ["ops"] } } },
  });
  // Both run, so that a difference would show.
  for (const name of ["one", "two", "ops"])
    await gateway.gateway.executor.execute({ owner: "o", caller: undefined }, name, "echo", {});
  asked = 0;
});
afterAll(async () => {
  await gateway.close();
  upstream.closeAllConnections();
  await new Promise((resolve) => upstream.close(resolve));
});

/** What somebody is told about a server, with `SERVER` where it is named. */
async function told(server: string): Promise<unknown[]> {
  const { url } = gateway;
  const hello = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "t", version: "1" } };
  const http = async (method: "GET" | "POST", path: string, body?: object) => {
    const headers = { ...bob, "content-type": "application/json", accept: "application/json, text/event-stream" };
    const answer = await request(url + path, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const { statusCode, headers: said, body: text } = answer;
    // A stream that has begun does not end by itself.
    if (said["content-type"]?.includes("event-stream")) text.on("error", () => {}).destroy();
    return [statusCode, said["www-authenticate"], text.destroyed ? "a stream" : await text.text()];
  };
  const over = async (way: Way) => {
    const outcomes: unknown[] = [];
    for (const [method, params] of [
      ["tools/call", { name: `${server}__echo`, arguments: {} }],
      ["prompts/get", { name: `${server}__hello` }],
      ["resources/read", { uri: `${server}+x://a` }],
      ["resources/subscribe", { uri: `${server}+x://a` }],
      ["resources/unsubscribe", { uri: `${server}+x://a` }],
      [
        "completion/complete",
        { ref: { type: "ref/prompt", name: `${server}__hello` }, argument: { name: "a", value: "" } },
      ],
      [
        "completion/complete",
        { ref: { type: "ref/resource", uri: `${server}+x://{a}` }, argument: { name: "a", value: "" } },
      ],
      ["tools/list", {}],
    ] as const)
      outcomes.push(await way.ask(method, params));
    return outcomes;
  };
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  const key = "dGhlIHNhbXBsZSBub25jZQ==";
  socket.write(
    `GET /ws/${server} HTTP/1.1\r\nHost: ${new URL(url).host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      `Authorization: ${bob.authorization}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mcp\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
  );
  const [upgraded] = (await once(socket, "data")) as [Buffer];
  socket.destroy();
  const all = [
    await http("GET", `/api/v1/servers/${server}`),
    await http("POST", `/api/v1/servers/${server}/requests`, { method: "tools/call", params: { name: "echo" } }),
    await http("POST", `/api/v1/servers/${server}/requests`, { method: "ping" }),
    await http("POST", `/api/v1/servers/${server}/requests`, { method: "echo" }),
    await http("POST", `/api/v1/servers/${server}/tools/echo`, {}),
    await http("POST", `/mcp/${server}`, { jsonrpc: "2.0", id: 1, method: "initialize", params: hello }),
    await http("GET", `/sse/${server}`),
    await http("GET", "/api/v1/servers"),
    await http("GET", "/openapi.json"),
    String(upgraded).replace(/Date: .*/i, ""),
    await over(await sessionOver(`${url}/mcp`, { headers: bob })),
    await over(statelessOver(`${url}/mcp`, { headers: bob })),
  ];
  return JSON.parse(JSON.stringify(all).replaceAll(new RegExp(`\\b${server}(?=\\b|__)`, "g"), "SERVER"));
}

test.each(["two", "ops"])(
  "nothing tells a caller that a server exists of which it may use nothing (%s)",
  async (server) => {
    const hidden = await told(server);
    expect(hidden).toEqual(await told("nah"));
    expect(hidden[0]).toEqual([
      404,
      null,
      JSON.stringify({
        error: {
          code: -31016,
          message: 'no server is called "SERVER"; there are: one',
          data: { code: "SERVER_UNKNOWN", servers: ["one"] },
        },
      }),
    ]);
    expect(asked).toBe(0);
    const { statusCode, body } = await request(`${gateway.url}/api/v1/servers/one`, { headers: bob });
    expect([statusCode, await body.json()]).toMatchObject([200, { name: "one", toolNames: ["echo"] }]);
  },
);
