import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { request } from "undici";
import type { Server } from "../../runtime/config/schema/index.ts";
import { TestGateway } from "../support/gateway.ts";
import { Listening } from "../support/listening.ts";

// The tasks extension (SEP-2663) through the gateway, with two servers that give the same id to their tasks.
const fixture = join(import.meta.dirname, "../fixtures/raw-server.ts");
const key = "io.modelcontextprotocol";
const extensions = { [`${key}/tasks`]: {} };
let gateway: TestGateway;
let servers: Listening[];

beforeAll(async () => {
  servers = await Promise.all(["one", "two"].map((NAME) => Listening.start(fixture, { NAME })));
  const serverAt = ({ port }: Listening): Server => ({
    ...{ type: "custom", isolation: "shared", endpoints: [`http://127.0.0.1:${port}/mcp`] },
  });
  const [one, two] = servers.map(serverAt) as [Server, Server];
  gateway = await TestGateway.start({ servers: { one, two } });
});
afterAll(async () => {
  await gateway.close();
  await Promise.all(servers.map((server) => server.stop()));
});

async function ask(
  path: string,
  method: string,
  params: Record<string, unknown>,
  capabilities: object = { extensions },
) {
  const _meta = { [`${key}/protocolVersion`]: "2026-07-28", [`${key}/clientCapabilities`]: capabilities };
  const name = params.taskId ?? params.name;
  const { statusCode, body } = await request(gateway.url + path, {
    method: "POST",
    headers: {
      ...{ "content-type": "application/json", accept: "application/json, text/event-stream" },
      ...{ "mcp-protocol-version": "2026-07-28", "mcp-method": method },
      ...(name === undefined ? {} : { "mcp-name": String(name) }),
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params: { ...params, _meta } }),
  });
  const { result, error } = (await body.json()) as { result?: Record<string, unknown>; error?: { code: number } };
  const { _meta: _ignored, ...said } = result ?? {};
  return { status: statusCode, ...(error === undefined ? { result: said } : { error }) };
}

const task = { createdAt: "2026-11-25T10:00:00Z", lastUpdatedAt: "2026-11-25T10:00:00Z", ttlMs: 60_000 };
const paths = [
  { path: "/mcp/one", tool: "report", uri: "file:///report" },
  { path: "/mcp", tool: "two__report", uri: "two+file:///report" },
];

describe.each(paths)("at $path", ({ path, tool, uri }) => {
  let taskId: string;
  beforeEach(async () => {
    const created = await ask(path, "tools/call", { name: tool, arguments: {} });
    // The server's own id, sealed: visible ASCII, the same each time.
    taskId = String((created as { result?: { taskId?: unknown } }).result?.taskId);
    expect(taskId).toMatch(/^[\w-]+\.[\w-]+$/);
    expect(created).toEqual({ status: 200, result: { ...task, resultType: "task", taskId, status: "working" } });
  });

  test("a task asks, is answered and completes at the server that made it", async () => {
    const question = { method: "elicitation/create", params: { mode: "form", message: "sure?" } };
    const working = { ...task, resultType: "complete", taskId, status: "input_required" };
    expect(await ask(path, "tasks/get", { taskId })).toEqual({
      ...{ status: 200, result: { ...working, inputRequests: { sure: question } } },
    });
    const inputResponses = { sure: { action: "accept" } };
    expect(await ask(path, "tasks/update", { taskId, inputResponses })).toEqual({
      ...{ status: 200, result: { resultType: "complete" } },
    });
    const content = [{ type: "resource_link", uri, name: JSON.stringify(inputResponses) }];
    expect(await ask(path, "tasks/get", { taskId })).toEqual({
      ...{ status: 200, result: { ...working, status: "completed", result: { content } } },
    });
  });

  test("a task is cancelled", async () => {
    expect(await ask(path, "tasks/cancel", { taskId })).toEqual({ status: 200, result: { resultType: "complete" } });
    expect(await ask(path, "tasks/get", { taskId })).toMatchObject({ result: { taskId, status: "cancelled" } });
  });

  test("a client that has not declared the extension gets no task", async () => {
    expect(await ask(path, "tools/call", { name: tool, arguments: {} }, {})).toMatchObject({
      ...{ status: 400, error: { code: -32021, data: { requiredCapabilities: { extensions } } } },
    });
  });

  test("the extension is offered to stateless clients only", async () => {
    expect(await ask(path, "server/discover", {})).toMatchObject({ result: { capabilities: { extensions } } });
    const client = await gateway.connect(path);
    expect(client.getServerCapabilities()).not.toHaveProperty("extensions");
  });
});

test("at /mcp an id that was not given to a client is unknown", async () => {
  await ask("/mcp", "tools/call", { name: "two__report", arguments: {} });
  expect(await ask("/mcp", "tasks/get", { taskId: "task" })).toMatchObject({
    error: { code: -32602, message: "Unknown task: task" },
  });
  expect(await ask("/mcp", "tasks/get", { taskId: "two+task+1" })).toMatchObject({ error: { code: -32602 } });
  expect(await ask("/mcp", "tasks/get", {})).toMatchObject({ error: { code: -32602 } });
});
