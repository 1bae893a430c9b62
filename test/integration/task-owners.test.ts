import { connect } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { request } from "undici";
import { WebSocket } from "ws";
import type { ConfigFile, Server } from "../../runtime/config/schema/index.ts";
import { digestOf } from "../../runtime/security/secret-table.ts";
import { TestGateway } from "../support/gateway.ts";
import { Listening } from "../support/listening.ts";
import { Serving } from "../support/serving.ts";

// Two callers at one shared server that keeps tasks for everybody alike: nobody meets another's.
const fixture = join(import.meta.dirname, "../fixtures/task-server.ts");
const key = "io.modelcontextprotocol";
const extensions = { [`${key}/tasks`]: {} };
const token = (caller: string) => `${caller}-has-a-token-of-some-length-here`;
const card = "4111-secret-of-alice";
type Reply = { result?: Record<string, unknown>; error?: { code: number; message: string; data?: unknown } };
type Ask = (method: string, params: Record<string, unknown>) => Promise<Reply>;

let servers: Record<"legacy" | "modern", Listening>;
let gateway: TestGateway;

const serverAt = ({ port }: Listening): Server => ({
  type: "custom",
  isolation: "shared",
  endpoints: [`http://127.0.0.1:${port}/mcp`],
});
const config = (more: object = {}): ConfigFile => ({
  gateway: {
    auth: { bearerTokens: ["alice", "bob"].map((name) => ({ name, token: token(name) })) },
    authorization: {
      rules: [
        { effect: "allow", callers: ["alice"] },
        { effect: "allow", callers: ["bob"], tools: ["echo"] },
      ],
    },
    ...more,
  },
  servers: { legacy: serverAt(servers.legacy), modern: serverAt(servers.modern) },
});

beforeAll(async () => {
  const [legacy, modern] = await Promise.all(["legacy", "modern"].map((ERA) => Listening.start(fixture, { ERA })));
  servers = { legacy: legacy as Listening, modern: modern as Listening };
  gateway = await TestGateway.start(config());
});
afterAll(async () => {
  await gateway.close();
  await Promise.all(Object.values(servers).map((server) => server.stop()));
});

const authorized = (caller: string) => ({ authorization: `Bearer ${token(caller)}` });

/** A session of 2025-11-25; `headers` of each request. */
async function session(url: string, path: string, headers: Record<string, string>, capabilities = {}): Promise<Ask> {
  const post = (body: object, more: Record<string, string> = {}) =>
    request(url + path, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        ...headers,
        ...more,
      },
      body: JSON.stringify({ jsonrpc: "2.0", ...body }),
    });
  const hello = { protocolVersion: "2025-11-25", capabilities, clientInfo: { name: "test", version: "1" } };
  const opened = await post({ id: 0, method: "initialize", params: hello });
  await opened.body.dump();
  const mine = { "mcp-session-id": String(opened.headers["mcp-session-id"]), "mcp-protocol-version": "2025-11-25" };
  return async (method, params) => {
    const { body } = await post({ id: 1, method, params }, mine);
    return JSON.parse(await body.text()) as Reply;
  };
}

/** Requests of 2026-07-28. */
const stateless =
  (path: string, caller: string): Ask =>
  async (method, params) => {
    const _meta = { [`${key}/protocolVersion`]: "2026-07-28", [`${key}/clientCapabilities`]: { extensions } };
    const name = params.taskId ?? params.name;
    const { body } = await request(gateway.url + path, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        ...authorized(caller),
        "mcp-protocol-version": "2026-07-28",
        "mcp-method": method,
        ...(name === undefined ? {} : { "mcp-name": String(name) }),
      },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params: { ...params, _meta } }),
    });
    return (await body.json()) as Reply;
  };

const rest =
  (server: string, caller: string): Ask =>
  async (method, params) => {
    const { body } = await request(`${gateway.url}/api/v1/servers/${server}/requests`, {
      method: "POST",
      headers: { "content-type": "application/json", ...authorized(caller) },
      body: JSON.stringify({ method, params }),
    });
    return (await body.json()) as Reply;
  };

const idIn = ({ result }: Reply): string => {
  const { taskId, task } = result as { taskId?: string; task?: { taskId: string } };
  return (taskId ?? task?.taskId) as string;
};
const unknown = (taskId: string) => ({ code: -32602, message: `Unknown task: ${taskId}` });

const ways: [string, (caller: string) => Promise<Ask>, tool: string, asks: string[]][] = [
  [
    "of a session at /mcp/<server>",
    (caller) => session(gateway.url, "/mcp/legacy", authorized(caller)),
    "admin",
    ["tasks/get", "tasks/result", "tasks/cancel"],
  ],
  [
    "of REST at a session-era server",
    async (caller) => rest("legacy", caller),
    "admin",
    ["tasks/get", "tasks/result", "tasks/cancel"],
  ],
  [
    "of a stateless client at /mcp/<server>",
    async (caller) => stateless("/mcp/modern", caller),
    "admin",
    ["tasks/get", "tasks/cancel"],
  ],
  [
    "of a stateless client at /mcp",
    async (caller) => stateless("/mcp", caller),
    "modern__admin",
    ["tasks/get", "tasks/cancel"],
  ],
  ["of REST at a stateless server", async (caller) => rest("modern", caller), "admin", ["tasks/get", "tasks/cancel"]],
];

describe.each(ways)("a task %s", (_way, open, name, asks) => {
  const create = async (ask: Ask) =>
    idIn(await ask("tools/call", { name, arguments: { card }, task: { ttl: 60_000 } }));

  test("is its caller's: others read, cancel and find nothing", async () => {
    const [alice, bob] = [await open("alice"), await open("bob")];
    const taskId = await create(alice);
    for (const method of asks) {
      // Another's, one that nobody has, and the server's own ids.
      for (const id of [taskId, `${taskId.slice(0, -4)}AAAA`, "task-1", "modern+task-1"])
        expect((await bob(method, { taskId: id })).error).toEqual(unknown(id));
    }
    for (const id of ["task-1", `${taskId.slice(0, -4)}AAAA`])
      expect((await alice("tasks/get", { taskId: id })).error).toEqual(unknown(id));
    expect(JSON.stringify(await bob("tasks/list", {}))).not.toContain("task-");
    expect((await alice("tasks/get", { taskId })).result).toMatchObject({ taskId, status: "working" });
  });

  test("gives its caller the result, under the id that it knows", async () => {
    const alice = await open("alice");
    const taskId = await create(alice);
    const { result } = await alice(asks.includes("tasks/result") ? "tasks/result" : "tasks/get", { taskId });
    expect(JSON.stringify(result)).toContain(card);
    expect(JSON.stringify(result)).toContain(taskId);
    expect(JSON.stringify(result)).not.toContain('"task-');
    expect((await alice("tasks/cancel", { taskId })).error).toBeUndefined();
    expect((await alice("tasks/get", { taskId })).result).toMatchObject({ taskId, status: "cancelled" });
  });
});

test("a task is judged by the rules of the tool that made it, as they are now", async () => {
  const rules = (tools: string[]) => ({ authorization: { rules: [{ effect: "allow" as const, tools }] } });
  const before = await TestGateway.start(config(rules(["admin"])));
  const ask = await session(before.url, "/mcp/legacy", authorized("bob"));
  const taskId = idIn(await ask("tools/call", { name: "admin", arguments: {}, task: {} }));
  await before.stop();
  // The same keys: a gateway that was restarted, or another replica.
  const after = await TestGateway.start(config(rules(["echo"])), { stateDirectory: before.folder });
  const later = await session(after.url, "/mcp/legacy", authorized("bob"));
  expect((await later("tasks/result", { taskId })).error).toMatchObject({
    code: -31031,
    message: 'Forbidden: "bob" may not use "admin" of the server "legacy"',
  });
  await after.stop();
  const again = await TestGateway.start(config(rules(["*"])), { stateDirectory: before.folder });
  const last = await session(again.url, "/mcp/legacy", authorized("bob"));
  expect((await last("tasks/get", { taskId })).result).toMatchObject({ taskId });
  await again.close();
});

test("a task of a tool that has been hidden since is unknown", async () => {
  const { servers: shown } = config();
  const before = await TestGateway.start(config());
  const taskId = idIn(
    await (await session(before.url, "/mcp/legacy", authorized("alice")))("tools/call", { name: "admin", task: {} }),
  );
  await before.stop();
  const legacy = { ...(shown?.legacy as Server), tools: { deny: ["admin"] } };
  const after = await TestGateway.start({ ...config(), servers: { legacy } }, { stateDirectory: before.folder });
  const ask = await session(after.url, "/mcp/legacy", authorized("alice"));
  expect((await ask("tasks/result", { taskId })).error).toEqual(unknown(taskId));
  await after.close();
});

test("lists of tasks are not offered, and not given", async () => {
  const alice = await session(gateway.url, "/mcp/legacy", authorized("alice"));
  const notFound = { code: -32601, message: "Method not found: tasks/list", data: { code: "METHOD_NOT_FOUND" } };
  expect((await alice("tasks/list", {})).error).toEqual(notFound);
  expect((await rest("legacy", "alice")("tasks/list", {})).error).toEqual(notFound);
  const client = await gateway.connect("/mcp/legacy", authorized("alice"));
  expect(client.getServerCapabilities()?.tasks).toEqual({ cancel: {}, requests: { tools: { call: {} } } });
});

test("callers without a name are told apart by their sessions", async () => {
  const open = await TestGateway.start({ servers: config().servers });
  const [one, two] = [await session(open.url, "/mcp/legacy", {}), await session(open.url, "/mcp/legacy", {})];
  const taskId = idIn(await one("tools/call", { name: "admin", arguments: { card }, task: {} }));
  expect((await two("tasks/result", { taskId })).error).toEqual(unknown(taskId));
  expect(JSON.stringify((await one("tasks/result", { taskId })).result)).toContain(card);
  await open.close();
});

test("a question that belongs to a task names it by the client's id, over WebSocket and TCP", async () => {
  const open = await TestGateway.start({
    gateway: { listeners: { tcp: { port: 0, server: "legacy" } } },
    servers: { legacy: serverAt(servers.legacy) },
  });
  const socket = new WebSocket(`${open.url.replace("http", "ws")}/ws/legacy`, "mcp");
  const line = connect(open.gateway.tcpPort as number, "127.0.0.1");
  const channels = [
    {
      send: (text: string) => socket.send(text),
      listen: (take: (text: string) => void) => socket.on("message", (data) => take(String(data))),
    },
    {
      send: (text: string) => line.write(`${text}\n`),
      listen: (take: (text: string) => void) => createInterface({ input: line }).on("line", take),
    },
  ];
  await new Promise((resolve) => socket.once("open", resolve));
  for (const { send, listen } of channels) {
    const waiting = new Map<unknown, (message: Record<string, unknown>) => void>();
    const questions: Record<string, unknown>[] = [];
    listen((text) => {
      const message = JSON.parse(text) as Record<string, unknown>;
      if (message.method === undefined) waiting.get(message.id)?.(message);
      else {
        questions.push(message);
        const { _meta } = message.params as Record<string, unknown>;
        send(JSON.stringify({ jsonrpc: "2.0", id: message.id, result: { action: "accept", content: {}, _meta } }));
      }
    });
    let last = 0;
    const ask = (method: string, params: object): Promise<Reply> => {
      last += 1;
      const id = last;
      send(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
      return new Promise((resolve) => waiting.set(id, resolve as never));
    };
    const clientInfo = { name: "test", version: "1" };
    await ask("initialize", { protocolVersion: "2025-11-25", capabilities: { elicitation: {} }, clientInfo });
    const taskId = idIn(await ask("tools/call", { name: "admin", arguments: { ask: true }, task: {} }));
    const { result } = await ask("tasks/result", { taskId });
    const _meta = { [`${key}/related-task`]: { taskId } };
    expect(questions.map(({ params }) => (params as { _meta: unknown })._meta)).toEqual([_meta]);
    const [{ text }] = (result as { content: [{ text: string }] }).content;
    // The server has been answered by its own id.
    expect(JSON.parse(text)).toMatchObject({
      answer: { _meta: { [`${key}/related-task`]: { taskId: expect.stringMatching(/^task-\d+$/) } } },
    });
    expect(result?._meta).toEqual(_meta);
  }
  socket.terminate();
  line.destroy();
  await open.close();
});

test("any worker serves a task, of a server over HTTP and of one process for all of them", async () => {
  const { gateway: section } = config();
  const alone: Server = {
    type: "custom",
    isolation: "shared",
    scaling: { maxInstances: 1 },
    process: { command: process.execPath, args: [fixture], env: { STDIO: "1" } },
  };
  const hashed = section?.auth?.bearerTokens?.map(({ name }) => ({ name, hash: `sha256:${digestOf(token(name))}` }));
  const serving = await Serving.start(
    {
      gateway: { workers: 2, auth: { bearerTokens: hashed as never } },
      servers: { legacy: serverAt(servers.legacy), alone },
    },
    "workers serve",
  );
  try {
    for (const server of ["legacy", "alone"]) {
      const alice = await session(serving.url, `/mcp/${server}`, { ...authorized("alice"), connection: "close" });
      const taskId = idIn(await alice("tools/call", { name: "admin", arguments: { card }, task: {} }));
      // A connection each, so that any worker may get it.
      for (let round = 0; round < 8; round += 1) {
        const bob = await session(serving.url, `/mcp/${server}`, { ...authorized("bob"), connection: "close" });
        expect((await bob("tasks/get", { taskId })).error).toEqual(unknown(taskId));
        expect((await alice("tasks/get", { taskId })).result).toMatchObject({ taskId, status: "working" });
        // Another session of the same caller.
        const other = await session(serving.url, `/mcp/${server}`, { ...authorized("alice"), connection: "close" });
        expect(JSON.stringify((await other("tasks/result", { taskId })).result)).toContain(card);
      }
    }
  } finally {
    expect(await serving.stop()).toBe(0);
  }
});
