import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { connect, createServer } from "node:net";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { request } from "undici";
import { statefulServer, TestGateway } from "../support/gateway.ts";

const everything = createRequire(import.meta.url).resolve("@modelcontextprotocol/server-everything/dist/index.js");
let it: TestGateway;
let upstream: ReturnType<typeof spawn>;

beforeAll(async () => {
  const port = await freePort();
  upstream = spawn(process.execPath, [everything, "streamableHttp"], {
    env: { ...process.env, PORT: String(port) },
    stdio: ["ignore", "pipe", "pipe"],
  });
  await new Promise((resolve) => upstream.stderr?.once("data", resolve));
  it = await TestGateway.start({
    servers: {
      everything: { type: "custom", endpoints: [`http://127.0.0.1:${port}/mcp`], isolation: "shared" },
      stateful: statefulServer(),
    },
  });
});
afterAll(async () => {
  await it.close();
  upstream.kill();
});

const initialize = {
  jsonrpc: "2.0",
  id: "first",
  method: "initialize",
  params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "raw", version: "1" } },
};
const both = { "content-type": "application/json", accept: "application/json, text/event-stream" };

async function post(path: string, body: unknown, headers: Record<string, string> = {}) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const answer = await request(`${it.url}${path}`, { method: "POST", headers: { ...both, ...headers }, body: text });
  const said = await answer.body.text();
  return { status: answer.statusCode, headers: answer.headers, body: said === "" ? undefined : JSON.parse(said) };
}

async function openSession(path = "/mcp", protocolVersion = "2025-06-18"): Promise<Record<string, string>> {
  const { headers, body } = await post(path, { ...initialize, params: { ...initialize.params, protocolVersion } });
  expect(body.result.protocolVersion).toBe(protocolVersion);
  return { "mcp-session-id": headers["mcp-session-id"] as string, "mcp-protocol-version": protocolVersion };
}

describe("an upstream over Streamable HTTP", () => {
  test("lists and calls tools, keeps structured content, images and errors as they are", async () => {
    const client = await it.connect("/mcp/everything");
    expect((await client.listTools()).tools.length).toBeGreaterThan(10);
    const echo = await client.callTool({ name: "echo", arguments: { message: "hé" } });
    expect(echo.content).toEqual([{ type: "text", text: "Echo: hé" }]);
    const image = await client.callTool({ name: "get-tiny-image", arguments: {} });
    expect((image.content as { type: string }[]).map(({ type }) => type)).toEqual(["text", "image", "text"]);
    expect((await client.listResources()).resources.length).toBeGreaterThan(0);
  });

  test("relays progress of a long operation", async () => {
    const client = await it.connect();
    const heard: number[] = [];
    const call = { name: "everything__trigger-long-running-operation", arguments: { duration: 0.2, steps: 2 } };
    await client.callTool(call, { onprogress: ({ progress }) => heard.push(progress) });
    expect(heard).toEqual([1, 2]);
  });
});

describe("sessions", () => {
  test.each(["2025-03-26", "2025-06-18", "2025-11-25"])(
    "revision %s is negotiated, an unknown one gets the newest",
    async (revision) => {
      await openSession("/mcp", revision);
      const { body } = await post("/mcp", { ...initialize, params: { protocolVersion: "1999-01-01" } });
      expect(body.result.protocolVersion).toBe("2025-11-25");
    },
  );

  test("without a session id: 400; with a forged one: 404; after DELETE: 404", async () => {
    const ping = { jsonrpc: "2.0", id: 7, method: "ping" };
    expect(await post("/mcp", ping)).toMatchObject({ status: 400, body: { id: 7, error: { code: -32600 } } });
    expect(await post("/mcp", ping, { "mcp-session-id": "local.forged" })).toMatchObject({
      status: 404,
      body: { id: 7, error: { code: -32001 } },
    });
    const session = await openSession();
    expect(await post("/mcp", ping, session)).toMatchObject({
      status: 200,
      body: { jsonrpc: "2.0", id: 7, result: {} },
    });
    expect((await post("/mcp/stateful", ping, session)).status).toBe(404);
    const ended = await request(`${it.url}/mcp`, { method: "DELETE", headers: session });
    expect(ended.statusCode).toBe(204);
    expect((await post("/mcp", ping, session)).status).toBe(404);
  });

  test("arrays are for 2025-03-26 only", async () => {
    const batch = [1, 2].map((id) => ({ jsonrpc: "2.0", id, method: "ping" }));
    const old = await openSession("/mcp", "2025-03-26");
    expect((await post("/mcp", batch, old)).body).toEqual([1, 2].map((id) => ({ jsonrpc: "2.0", id, result: {} })));
    expect((await post("/mcp", [{ jsonrpc: "2.0", method: "notifications/initialized" }], old)).status).toBe(202);
    const refused = await post("/mcp", batch, await openSession());
    expect([refused.status, refused.body.error.message]).toEqual([
      400,
      "Invalid request: MCP 2025-06-18 has no batches; send one message",
    ]);
  });

  test("a notification is taken with 202, an unknown method gets -32601, an unknown version 400", async () => {
    const session = await openSession();
    expect((await post("/mcp", { jsonrpc: "2.0", method: "notifications/initialized" }, session)).status).toBe(202);
    expect((await post("/mcp", { jsonrpc: "2.0", id: 1, method: "no/such" }, session)).body.error).toEqual({
      code: -32601,
      message: "Method not found: no/such",
    });
    const wrong = await post(
      "/mcp",
      { jsonrpc: "2.0", id: 1, method: "ping" },
      { ...session, "mcp-protocol-version": "1999-01-01" },
    );
    expect([wrong.status, wrong.body.error.message]).toEqual([
      400,
      'Bad request: unsupported MCP-Protocol-Version "1999-01-01" (supported: 2025-11-25, 2025-06-18, 2025-03-26, 2024-11-05)',
    ]);
  });
});

/** Reads server-sent events until `enough`, then cuts the connection; resolves with ids and messages. */
async function events(path: string, options: object, enough: (seen: Seen[]) => boolean): Promise<Seen[]> {
  const { body, headers } = await request(`${it.url}${path}`, options);
  expect(headers["content-type"]).toBe("text/event-stream");
  const seen: Seen[] = [];
  let rest = "";
  for await (const chunk of body) {
    const blocks = (rest + chunk).split("\n\n");
    rest = blocks.pop() as string;
    for (const block of blocks) {
      const [, id, data] = /^event: message\nid: (\S+)\ndata: (.*)$/.exec(block) ?? [];
      if (id !== undefined) seen.push({ id, message: JSON.parse(data as string) });
    }
    if (enough(seen)) break;
  }
  return seen;
}
interface Seen {
  readonly id: string;
  readonly message: { readonly params?: { readonly progress: number }; readonly result?: unknown };
}

describe("a stream that broke", () => {
  const call = (ms: number) => ({
    ...{ jsonrpc: "2.0", id: "long", method: "tools/call" },
    params: { name: "slow", arguments: { steps: 4, ms }, _meta: { progressToken: "t" } },
  });

  test("goes on where it ended, result included, for its own session alone", async () => {
    const session = await openSession("/mcp/stateful", "2025-11-25");
    const post_ = { method: "POST", headers: { ...both, ...session }, body: JSON.stringify(call(50)) };
    const first = await events("/mcp/stateful", post_, (seen) => seen.length >= 1);
    const last = (first.at(-1) as Seen).id;
    const get = { headers: { ...session, accept: "text/event-stream", "last-event-id": last } };
    const others = await openSession("/mcp/stateful", "2025-11-25");
    const foreign = await request(`${it.url}/mcp/stateful`, { headers: { ...get.headers, ...others } });
    const rest = await events("/mcp/stateful", get, () => false);
    expect([...first, ...rest].map(({ message }) => message.params?.progress ?? message.result)).toEqual([
      ...[1, 2, 3, 4, { content: [{ type: "text", text: '{"steps":4}' }] }],
    ]);
    // Once more, after the end.
    expect(await events("/mcp/stateful", get, () => false)).toEqual(rest);
    let said = "";
    foreign.body.on("data", (chunk) => {
      said += chunk;
    });
    foreign.body.on("error", () => {});
    foreign.body.destroy();
    expect([foreign.statusCode, said]).toEqual([200, ""]);
  });
});

describe("hostile and mistaken requests", () => {
  test.each([
    ["not JSON", "{", {}, 400, -32700],
    ["a wrong media type", "{}", { "content-type": "text/plain" }, 415, -32600],
    ["a client that accepts neither", "{}", { accept: "text/html" }, 406, -32600],
    ["a foreign Host", JSON.stringify(initialize), { host: "evil.example.com" }, 403, -32600],
    ["a foreign Origin", JSON.stringify(initialize), { origin: "http://evil.example.com" }, 403, -32600],
    ["a body past the bound", JSON.stringify({ ...initialize, pad: "x".repeat(4 * 1024 * 1024) }), {}, 413, -32600],
  ])("%s is refused", async (_what, body, headers, status, code) => {
    expect(await post("/mcp", body, headers)).toMatchObject({ status, body: { error: { code } } });
  });

  test.each(["/mcp", "/mcp/stateful"])("%s: an object that cannot be made a text is told by its key", async (path) => {
    const session = await openSession(path);
    const ask = async (method: string, params: object) =>
      (await post(path, { jsonrpc: "2.0", id: 1, method, params }, session)).body.error;
    const trap = { toString: null };
    const wrong = (key: string) => ({ code: -32602, message: `Invalid params: "${key}" must be a string` });
    expect(await ask("resources/subscribe", { uri: trap })).toMatchObject(wrong("uri"));
    expect(await ask("tools/call", { name: trap })).toMatchObject(wrong("name"));
    const cancelled = { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 1, reason: trap } };
    expect((await post(path, cancelled, session)).status).toBe(202);
  });

  test("an unknown server and an unknown path are named", async () => {
    expect(await post("/mcp/nope", initialize)).toMatchObject({
      status: 404,
      body: { error: { message: 'no server is called "nope"; GET /api/v1/servers lists them' } },
    });
    expect(await post("/nope", {})).toMatchObject({
      status: 404,
      body: { error: { message: "nothing is served at POST /nope" } },
    });
  });
});

describe("REST", () => {
  const get = async (path: string) => {
    const answer = await request(`${it.url}${path}`);
    return { status: answer.statusCode, text: await answer.body.text() };
  };

  test("health, readiness and servers", async () => {
    expect(await get("/health")).toEqual({ status: 200, text: '{"status":"ok"}' });
    await (await it.connect()).listTools();
    expect(JSON.parse((await get("/ready")).text)).toEqual({
      ready: true,
      servers: { everything: "ready", stateful: "ready" },
    });
    const servers = JSON.parse((await get("/api/v1/servers")).text);
    expect(servers.map(({ name, health, isolation }: Record<string, string>) => [name, health, isolation])).toEqual([
      ["everything", "ready", "shared"],
      ["stateful", "ready", "session"],
    ]);
    expect(JSON.parse((await get("/api/v1/servers/stateful")).text).toolNames).toEqual([
      "count",
      "crash",
      "slow",
      "where",
    ]);
  });

  test("executes an MCP method or a tool; each request has state of its own", async () => {
    const path = "/api/v1/servers/stateful/requests";
    for (let round = 0; round < 2; round += 1) {
      const { body } = await post(path, {
        method: "count",
        priority: "high",
        useCache: false,
        metadata: { source: "test" },
      });
      expect(JSON.parse(body.result.content[0].text)).toMatchObject({ count: 1 });
    }
    expect((await post(path, { method: "tools/list" })).body.result.tools.length).toBe(4);
    expect(await post(path, { method: "no-such-tool" })).toMatchObject({
      status: 400,
      body: { error: { code: -32602 } },
    });
  });

  test("refuses what it does not know, and says what", async () => {
    const path = "/api/v1/servers/stateful/requests";
    expect(await post(path, { params: {} })).toMatchObject({
      status: 400,
      body: { error: { message: `POST ${path}: body must have required property 'method'` } },
    });
    expect(await post(path, { method: "count", prio: 1 })).toMatchObject({
      status: 400,
      body: { error: { message: `POST ${path}: body must NOT have additional properties` } },
    });
    expect(await post("/api/v1/servers/nope/requests", { method: "x" })).toMatchObject({
      status: 404,
      body: {
        error: {
          message: 'no server is called "nope"; there are: everything, stateful',
          data: { code: "SERVER_UNKNOWN" },
        },
      },
    });
  });

  test("metrics have the six names of the specification", async () => {
    const { text } = await get("/metrics");
    const names = [
      "mcp_request_duration_ms",
      "mcp_request_total",
      "mcp_server_health_status",
      "mcp_connection_pool_utilization",
      "mcp_batch_size",
      "mcp_error_rate",
    ];
    for (const name of names) expect(text).toContain(`# TYPE ${name} `);
    expect(text).toMatch(/mcp_request_total\{server="stateful",method="tools\/call",status="ok"\} \d+/);
    expect(text).toContain('mcp_server_health_status{server="everything"} 1');
  });
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

describe("what clients of other makers send", () => {
  test("a body in gzip is 415, and says what to send", async () => {
    const answer = await request(`${it.url}/mcp`, {
      method: "POST",
      headers: { ...both, "content-encoding": "gzip" },
      body: gzipSync(JSON.stringify(initialize)),
    });
    expect(answer.headers["accept-encoding"]).toBe("identity");
    expect([answer.statusCode, ((await answer.body.json()) as { error: { message: string } }).error.message]).toEqual([
      415,
      "Unsupported media type: MCP messages are sent without Content-Encoding",
    ]);
  });

  test("types in any case, and a byte order mark before the message, are taken", async () => {
    const headers = {
      "content-type": "Application/Json; Charset=UTF-8",
      accept: "Application/JSON, Text/Event-Stream",
    };
    const { status, body } = await post("/mcp", `\ufeff${JSON.stringify(initialize)}`, headers);
    expect([status, body.result.protocolVersion]).toEqual([200, "2025-06-18"]);
  });

  test("a target in absolute-form is served", async () => {
    const { hostname, port } = new URL(it.url);
    const text = JSON.stringify(initialize);
    const head = Object.entries({ ...both, "content-length": Buffer.byteLength(text), connection: "close" });
    const socket = connect(Number(port), hostname);
    socket.write(`POST ${it.url}/mcp/stateful HTTP/1.1\r\nhost: ${hostname}:${port}\r\n`);
    socket.write(`${head.map(([name, value]) => `${name}: ${value}`).join("\r\n")}\r\n\r\n${text}`);
    let said = "";
    for await (const chunk of socket) said += chunk;
    expect(said).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  });
});

test.each([
  ["without authentication", undefined],
  ["with static tokens only", { bearerTokens: [{ name: "me", token: "a-token-of-mine-0123456789" }] }],
])("%s there is no OAuth: its discovery is 404", async (_how, auth) => {
  const gateway = await TestGateway.start({ gateway: auth === undefined ? {} : { auth }, servers: {} });
  const paths = [
    "/.well-known/oauth-protected-resource",
    "/.well-known/oauth-protected-resource/mcp",
    "/.well-known/oauth-authorization-server",
    "/.well-known/oauth-authorization-server/mcp",
    "/.well-known/openid-configuration",
    "/mcp/.well-known/openid-configuration",
  ];
  const statuses = await Promise.all(paths.map(async (path) => (await fetch(`${gateway.url}${path}`)).status));
  await gateway.close();
  expect(statuses).toEqual(paths.map(() => 404));
});
