import { createServer, type Server as HttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { Server } from "../../runtime/config/schema/index.ts";
import type { RpcRequest } from "../../runtime/protocol/json-rpc.ts";
import { TestGateway } from "../support/gateway.ts";

// A server of 2026-07-28 that answers calls at once and gives its list of tools too slowly: a call needs the list to know
// which arguments are repeated in headers.
const requestMs = 1000;
const pageMs = 300;
let server: HttpServer;
let gateway: TestGateway;

async function answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const { id, method, params } = (await json(incoming)) as RpcRequest;
  const say = (result: object) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ jsonrpc: "2.0", id, result: { resultType: "complete", ...result } }));
  };
  if (method === "server/discover") say({ supportedVersions: ["2026-07-28"], capabilities: { tools: {} } });
  else if (method === "tools/call") say(done);
  else if (incoming.url === "/pages") {
    await pause(pageMs);
    const page = Number(params?.cursor ?? 0);
    say({ tools: [{ name: `tool-${page}`, inputSchema: { type: "object" } }], nextCursor: String(page + 1) });
  }
}
const done = { content: [{ type: "text", text: "done" }] };

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
  gateway = await TestGateway.start({ servers: { pages: fleet("pages"), silent: fleet("silent") } });
});
afterAll(async () => {
  await gateway.close();
  server.closeAllConnections();
  server.close();
});

test.concurrent.each(["pages", "silent"])(
  "a call is answered in its time before a server whose list of tools does not end (%s)",
  async (name) => {
    const response = await fetch(`${gateway.url}/api/v1/servers/${name}/tools/wait`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "{}",
      signal: AbortSignal.timeout(requestMs + 4000),
    });
    expect({ status: response.status, body: await response.json() }).toEqual({ status: 200, body: { result: done } });
  },
);
