import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import type { Server as ServerConfig } from "../../runtime/config/schema/index.ts";
import { maxOfCall, maxOpenOfCall } from "../../runtime/protocol/questions.ts";
import { TestGateway } from "../support/gateway.ts";
import { RawClient } from "../support/raw-client.ts";

// Servers that ask, flood or talk without end: what they can make the gateway keep has a bound, and others are served.
interface Rpc {
  readonly id?: number | string;
  readonly method?: string;
  readonly params?: { readonly name?: string; readonly requestId?: unknown };
  readonly error?: { readonly message: string };
}

const results: Record<string, object> = {
  initialize: { protocolVersion: "2025-11-25", capabilities: { tools: {} }, serverInfo: { name: "b", version: "1" } },
  "tools/list": { tools: ["ask", "echo"].map((name) => ({ name, inputSchema: { type: "object" } })) },
};
const done = (id: Rpc["id"]) => JSON.stringify({ jsonrpc: "2.0", id, result: { content: [] } });
const question = (id: string) =>
  `data: ${JSON.stringify({ jsonrpc: "2.0", id, method: "elicitation/create", params: {} })}\n\n`;

let gateway: TestGateway | undefined;
let server: Server | undefined;
let folder: string | undefined;
/** What the server heard. */
let heard: Rpc[];
/** What it does with a call of `ask`. */
let ask: (call: Rpc, response: ServerResponse) => void;
beforeEach(() => {
  heard = [];
});
afterEach(async () => {
  await gateway?.close();
  server?.closeAllConnections();
  server?.close();
  if (folder !== undefined) rmSync(folder, { recursive: true });
  gateway = undefined;
  server = undefined;
  folder = undefined;
});

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== "POST") {
    response.writeHead(405).end();
    return;
  }
  const message = (await json(request)) as Rpc;
  const { id, method, params } = message;
  heard.push(message);
  if (method === undefined || id === undefined) response.writeHead(202).end();
  else if (method === "tools/call" && params?.name === "ask") ask(message, response);
  else {
    const said =
      method === "tools/call"
        ? done(id)
        : JSON.stringify({
            jsonrpc: "2.0",
            id,
            ...(method in results ? { result: results[method] } : { error: { code: -32601, message: "no" } }),
          });
    response.writeHead(200, { "content-type": "application/json" }).end(said);
  }
}

async function start(listener: typeof serve, config: Partial<ServerConfig>, path = "/mcp"): Promise<void> {
  server = createServer((request, response) => void listener(request, response));
  await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await gatewayFor({ endpoints: [`http://127.0.0.1:${port}${path}`], ...config });
}

async function gatewayFor(config: Partial<ServerConfig>): Promise<void> {
  gateway = await TestGateway.start({ servers: { bad: { type: "custom", isolation: "shared", ...config } } });
}

const connect = () => RawClient.open(`${gateway?.url}/mcp/bad`, {}, { elicitation: {} });

/** Waits for what must come. */
async function until<T>(look: () => T | undefined | false): Promise<T> {
  for (;;) {
    const found = look();
    if (found !== undefined && found !== false) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test("a server that asks its client without end fails its own call, and is told so", async () => {
  await start(serve, {});
  const client = await connect();
  let asked = 0;
  let closed = false;
  ask = (_call, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" }).on("close", () => {
      closed = true;
    });
    const more = () => {
      while (!closed && response.write(question(`q${asked}`))) asked += 1;
      if (!closed) response.once("drain", more);
    };
    more();
  };
  const said = await client.call("ask");
  expect(said).toContain('"code":"UPSTREAM_PROTOCOL"');
  expect(said).toContain("the server asked the client more than 256 times in one call");
  await until(() => closed);
  const call = heard.find(({ params }) => params?.name === "ask");
  await until(() =>
    heard.some(({ method, params }) => method === "notifications/cancelled" && params?.requestId === call?.id),
  );
  // The others were refused, and none was kept.
  expect(said.split("elicitation/create").length - 1).toBe(maxOpenOfCall);
  expect(heard.length).toBeLessThan(maxOfCall + 20);
});

test("a client that never answers holds no connection that others need, and its call ends when it has gone", async () => {
  await start(serve, { pool: { maxConnections: 1 } });
  const [client, other] = [await connect(), await connect()];
  let closed = false;
  ask = (_call, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" }).write(question("q"));
    response.on("close", () => {
      closed = true;
    });
  };
  const leaving = new AbortController();
  const waiting = await client.send("tools/call", { name: "ask", arguments: {} }, leaving.signal);
  expect(await other.call("echo")).toContain('"result":{"content":[]}');
  leaving.abort();
  await waiting.text().catch(() => {});
  expect(closed).toBe(false);
  await until(() => closed);
  const call = heard.find(({ params }) => params?.name === "ask");
  const gone = {
    requestId: call?.id,
    reason: "the client has neither a stream nor a connection on which it could answer",
  };
  await until(() =>
    heard.some(({ method, params }) => method === "notifications/cancelled" && params?.requestId === call?.id),
  );
  expect(heard.find(({ method }) => method === "notifications/cancelled")?.params).toEqual(gone);
  expect(await other.call("echo")).toContain('"result":{"content":[]}');
});

test("a server that floods pings and reads nothing is read no further", async () => {
  folder = mkdtempSync(join(tmpdir(), "flooding-"));
  const count = join(folder, "count");
  const script = join(import.meta.dirname, "../fixtures/flooding-server.mjs");
  await gatewayFor({
    process: { command: process.execPath, args: [script, count] },
    timeouts: { requestMs: 2000 },
    healthCheck: { enabled: false },
  });
  const client = await connect();
  expect(await client.call("flood")).toContain('"code":"REQUEST_TIMEOUT"');
  const sent = () => Number(readFileSync(count, "utf8"));
  // It stands still; without back-pressure a second brings a million of them.
  let before = -1;
  await until(() => {
    const same = sent() === before;
    before = sent();
    return same;
  });
  expect(before).toBeLessThan(50_000);
  expect((await fetch(`${gateway?.url}/health`)).status).toBe(200);
});

test("an event over HTTP+SSE that never ends ends its connection, and says why", async () => {
  let stream: ServerResponse | undefined;
  const say = (message: string) => stream?.write(`data: ${message}\n\n`);
  await start(
    async (request, response) => {
      if (request.method === "GET") {
        response.writeHead(200, { "content-type": "text/event-stream" }).write("event: endpoint\ndata: /messages\n\n");
        stream = response;
        return;
      }
      const { id, method, params } = (await json(request)) as Rpc;
      response.writeHead(202).end();
      if (method !== undefined && id !== undefined && method in results)
        say(JSON.stringify({ jsonrpc: "2.0", id, result: results[method] }));
      else if (method === "tools/call" && params?.name === "echo") say(done(id));
      else if (method === "tools/call") {
        const endless = stream;
        endless?.write("data: ");
        const pour = () => {
          while (endless?.write("x".repeat(1 << 20))) if (endless.destroyed) return;
          endless?.once("drain", pour);
        };
        pour();
      } else if (id !== undefined) say(JSON.stringify({ jsonrpc: "2.0", id, error: { code: -32601, message: "no" } }));
    },
    { protocol: "sse" },
    "/sse",
  );
  const client = await connect();
  const said = await client.call("ask");
  expect(said).toContain("an event of the server exceeds 67108864 bytes");
  expect(said).toContain('"code":"INSTANCE_LOST"');
  expect(await client.call("echo")).toContain('"result":{"content":[]}');
});
