import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { RpcRequest } from "../../runtime/protocol/json-rpc.ts";
import { modernErrors } from "../../runtime/protocol/modern.ts";
import { TestGateway } from "../support/gateway.ts";
import { type Reply, StatelessServer } from "../support/stateless-server.ts";

// A server of 2026-07-28 that wants a call twice and takes more than half of its time for each: the second request has what
// the first one has left.
const requestMs = 1000;
const answerMs = 600;
let server: StatelessServer;
let gateway: TestGateway;
const calls = new Map<string, number>();

async function answer({ method }: RpcRequest, path: string, reply: Reply): Promise<void> {
  const say = (result: object) => reply({ result: { resultType: "complete", ...result } });
  if (method === "server/discover") say({ supportedVersions: ["2026-07-28"], capabilities: { tools: {} } });
  if (method === "tools/list") say({ tools: [{ name: "look", inputSchema: { type: "object" } }] });
  if (method !== "tools/call") return;
  const count = (calls.get(path) ?? 0) + 1;
  calls.set(path, count);
  await pause(answerMs);
  if (count > 1) say({ content: [{ type: "text", text: "seen" }] });
  else if (path === "/header") reply({ error: { code: modernErrors.headerMismatch, message: "another schema" } }, 400);
  else reply({ result: { resultType: "input_required", requestState: "again" } });
}

beforeAll(async () => {
  server = await StatelessServer.start(answer);
  const [header, input] = [server.fleet("/header", requestMs), server.fleet("/input", requestMs)];
  gateway = await TestGateway.start({ servers: { header, input } });
});
afterAll(async () => {
  await gateway.close();
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
