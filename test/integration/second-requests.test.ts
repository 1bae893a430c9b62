import { createServer, type Server as HttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { Server } from "../../runtime/config/schema/index.ts";
import { modernErrors } from "../../runtime/protocol/modern.ts";
import { TestGateway } from "../support/gateway.ts";

// A server of 2026-07-28 that wants a call twice and takes more than half of its time for each: the second request has what
// the first one has left.
const requestMs = 1000;
const answerMs = 600;
let server: HttpServer;
let gateway: TestGateway;
const calls = new Map<string, number>();

async function answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = String(incoming.url);
  const { id, method } = (await json(incoming)) as { id: number; method: string };
  const reply = (status: number, answer: object) => {
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify({ jsonrpc: "2.0", id, ...answer }));
  };
  const say = (result: object) => reply(200, { result: { resultType: "complete", ...result } });
  if (method === "server/discover") say({ supportedVersions: ["2026-07-28"], capabilities: { tools: {} } });
  if (method === "tools/list") say({ tools: [{ name: "look", inputSchema: { type: "object" } }] });
  if (method !== "tools/call") return;
  const count = (calls.get(path) ?? 0) + 1;
  calls.set(path, count);
  await pause(answerMs);
  if (count > 1) say({ content: [{ type: "text", text: "seen" }] });
  else if (path === "/header") reply(400, { error: { code: modernErrors.headerMismatch, message: "another schema" } });
  else reply(200, { result: { resultType: "input_required", requestState: "again" } });
}

beforeAll(async () => {
  server = createServer((incoming, response) => void answer(incoming, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const fleet = (path: string): Server => ({
    type: "custom",
    endpoints: [`http://127.0.0.1:${port}/${path}`],
    isolation: "shared",
    timeouts: { requestMs },
    retry: { attempts: 1 },
  });
  gateway = await TestGateway.start({ servers: { header: fleet("header"), input: fleet("input") } });
});
afterAll(async () => {
  await gateway.close();
  server.closeAllConnections();
  server.close();
});

test.concurrent.each([
  ["says that headers do not fit", "header"],
  ["asks for input again and again", "input"],
])("a call ends in its time when the server %s", async (_what, name) => {
  const response = await fetch(`${gateway.url}/api/v1/servers/${name}/tools/look`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: "{}",
  });
  const { error } = (await response.json()) as { error: { data: { code: string } } };
  expect([response.status, error.data.code]).toEqual([504, "REQUEST_TIMEOUT"]);
});
