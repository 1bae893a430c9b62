import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { RpcRequest } from "../../runtime/protocol/json-rpc.ts";
import { TestGateway } from "../support/gateway.ts";
import { type Reply, StatelessServer } from "../support/stateless-server.ts";

// A server of 2026-07-28 that answers calls at once and gives its list of tools too slowly: a call needs the list to know
// which arguments are repeated in headers.
const requestMs = 1000;
const pageMs = 300;
let server: StatelessServer;
let gateway: TestGateway;

async function answer({ method, params }: RpcRequest, path: string, reply: Reply): Promise<void> {
  const say = (result: object) => reply({ result: { resultType: "complete", ...result } });
  if (method === "server/discover") say({ supportedVersions: ["2026-07-28"], capabilities: { tools: {} } });
  else if (method === "tools/call") say(done);
  else if (path === "/pages") {
    await pause(pageMs);
    const page = Number(params?.cursor ?? 0);
    say({ tools: [{ name: `tool-${page}`, inputSchema: { type: "object" } }], nextCursor: String(page + 1) });
  }
}
const done = { content: [{ type: "text", text: "done" }] };

beforeAll(async () => {
  server = await StatelessServer.start(answer);
  const [pages, silent] = [server.fleet("/pages", requestMs), server.fleet("/silent", requestMs)];
  gateway = await TestGateway.start({ servers: { pages, silent } });
});
afterAll(async () => {
  await gateway.close();
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
