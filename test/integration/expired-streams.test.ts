import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { request } from "undici";
import { WebSocket } from "ws";
import { statefulServer, TestGateway } from "../support/gateway.ts";
import { postInitialize } from "../support/oauth-client.ts";

// The token `short` ends a few seconds after the gateway has started; `fresh` is the same caller's next one.
const aheadMs = 4000;
let it: TestGateway;
let endsAt: number;
beforeAll(async () => {
  endsAt = Date.now() + aheadMs;
  const expiresAt = new Date(endsAt).toISOString();
  const bearerTokens = [
    { name: "ann", token: "short", expiresAt },
    { name: "ann", token: "fresh" },
  ];
  it = await TestGateway.start({
    gateway: { auth: { bearerTokens }, drainMs: 100 },
    servers: { notes: statefulServer() },
  });
});
afterAll(() => it.close());

const bearing = (token: string) => ({ authorization: `Bearer ${token}` });
const opened = async (path: string, headers: Record<string, string>): Promise<IncomingMessage> => {
  const [response] = (await once(get(`${it.url}${path}`, { headers }), "response")) as [IncomingMessage];
  expect(response.statusCode).toBe(200);
  return response;
};
/** What came until the gateway ended the stream, and that it did not end before its time. */
const ended = async (stream: NodeJS.ReadableStream) => {
  const said = await text(stream);
  expect(Date.now()).toBeGreaterThanOrEqual(endsAt);
  return said;
};

test("every stream and connection ends with the token with which it was opened; the session goes on with the next token", async () => {
  const session = await postInitialize(`${it.url}/mcp/notes`, "short");
  await session.body.dump();
  const mine = { "mcp-session-id": String(session.headers["mcp-session-id"]), "mcp-protocol-version": "2025-11-25" };
  const stream = { accept: "text/event-stream", ...mine };
  const listen = request(`${it.url}/mcp/notes`, {
    method: "POST",
    headers: {
      ...{ ...bearing("short"), "content-type": "application/json", accept: "application/json, text/event-stream" },
      ...{ "mcp-protocol-version": "2026-07-28", "mcp-method": "subscriptions/listen" },
    },
    body: JSON.stringify({
      ...{ jsonrpc: "2.0", id: "sub", method: "subscriptions/listen" },
      params: {
        notifications: { toolsListChanged: true },
        _meta: {
          "io.modelcontextprotocol/protocolVersion": "2026-07-28",
          "io.modelcontextprotocol/clientCapabilities": {},
        },
      },
    }),
  });
  const socket = new WebSocket(`${it.url.replace(/^http/, "ws")}/ws/notes`, "mcp", { headers: bearing("short") });
  const closed = once(socket, "close");
  const lasting = await opened("/mcp/notes", { ...bearing("short"), ...stream });
  const [ofSession, ofSse, ofListen, [code, reason]] = await Promise.all([
    ended(lasting),
    ended(await opened("/sse/notes", bearing("short"))),
    ended((await listen).body),
    closed,
  ]);
  expect([code, String(reason)]).toEqual([1008, "the credential has expired"]);
  expect(ofSession).not.toContain("data:");
  expect(ofSse).toMatch(/^event: endpoint\n/);
  // The specification's way to end a subscription: the response of its request.
  expect(ofListen).toContain('"id":"sub","result":{"resultType":"complete"');
  const again = await opened("/mcp/notes", { ...bearing("fresh"), ...stream });
  again.destroy();
  const refused = await postInitialize(`${it.url}/mcp/notes`, "short");
  await refused.body.dump();
  expect(refused.statusCode).toBe(401);
});
