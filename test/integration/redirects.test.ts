import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { afterEach, expect, test } from "@jest/globals";
import { WebSocketServer } from "ws";
import type { Server as ServerSettings } from "../../runtime/config/schema/index.ts";
import { say, TestGateway } from "../support/gateway.ts";

// Servers that redirect, on each transport that is spoken to by HTTP.
let outer: TestGateway | undefined;
let front: Server;
/** Methods and targets of the requests that have come. */
let asked: string[];

async function start(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<number> {
  asked = [];
  front = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    answer(request, response);
  });
  await new Promise<void>((resolve) => front.listen(0, "127.0.0.1", resolve));
  return (front.address() as AddressInfo).port;
}
const serve = async (settings: ServerSettings) => {
  outer = await TestGateway.start({ servers: { moved: settings } });
  return outer.connect("/mcp/moved");
};
afterEach(async () => {
  await outer?.close();
  outer = undefined;
  front.closeAllConnections();
  front.close();
});

const results: Record<string, unknown> = {
  initialize: {
    protocolVersion: "2025-11-25",
    capabilities: { tools: {} },
    serverInfo: { name: "real", version: "1" },
  },
  "tools/list": { tools: [{ name: "look", inputSchema: { type: "object" } }] },
  "tools/call": { content: [{ type: "text", text: '"seen"' }] },
};
const discovered = {
  supportedVersions: ["2026-07-28"],
  capabilities: { tools: {} },
  serverInfo: { name: "real", version: "1" },
};

/** A server at `/real/mcp`, which redirects all else to it. */
const slashed = (status: number, modern: boolean) => async (request: IncomingMessage, response: ServerResponse) => {
  if (request.url !== "/real/mcp") {
    request.resume();
    response.writeHead(status, { location: "/real/mcp" }).end("moved");
    return;
  }
  if (request.method !== "POST") {
    response.writeHead(405).end();
    return;
  }
  const { id, method } = (await json(request)) as { id?: number; method: string };
  asked.push(method);
  const known: Record<string, unknown> = modern ? { ...results, "server/discover": discovered } : results;
  const outcome = method in known ? { result: known[method] } : { error: { code: -32601, message: "unknown" } };
  if (id === undefined) response.writeHead(202).end();
  else
    response
      .writeHead(200, { "content-type": "application/json" })
      .end(JSON.stringify({ jsonrpc: "2.0", id, ...outcome }));
};

test.each([
  [307, "2025-11-25"],
  [308, "2025-11-25"],
  [307, "2026-07-28"],
  [308, "2026-07-28"],
])("HTTP %i to another path of the origin is followed, by a server of %s", async (status, era) => {
  const port = await start((...args) => void slashed(status, era === "2026-07-28")(...args));
  const client = await serve({ type: "custom", endpoints: [`http://127.0.0.1:${port}/mcp`], isolation: "shared" });
  expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(["look"]);
  expect(await say(client, "look")).toBe("seen");
  // Once, for the first request of the connection.
  expect(asked.filter((one) => one.endsWith(" /mcp"))).toEqual(["POST /mcp"]);
});

test.each([
  [308, "http://127.0.0.1:1/mcp", "http://127.0.0.1:1/mcp"],
  [307, "https://mcp.example/v2/mcp?token=s3cret", "https://mcp.example/v2/mcp"],
  [301, "/mcp/", "/mcp/"],
  [302, "/login", "/login"],
])("HTTP %i to %s is not followed, and the error says where it leads", async (status, location, shown) => {
  const port = await start((request, response) => {
    request.resume();
    response.writeHead(status, { location }).end();
  });
  const at = `http://127.0.0.1:${port}`;
  outer = await TestGateway.start({
    servers: { moved: { type: "custom", endpoints: [`${at}/mcp`], isolation: "shared" } },
  });
  const failure = await outer.connect("/mcp/moved").catch((error: Error) => error);
  const where = shown.startsWith("/") ? `${at}${shown}` : shown;
  expect((failure as Error).message).toContain(
    `moved: ${at} sends requests on to ${where} (HTTP ${status}); write that in endpoints of this server`,
  );
});

test("redirects in a circle end, and are named", async () => {
  const port = await start((request, response) => {
    request.resume();
    response.writeHead(307, { location: request.url === "/a" ? "/b" : "/a" }).end();
  });
  outer = await TestGateway.start({
    servers: { moved: { type: "custom", endpoints: [`http://127.0.0.1:${port}/a`], isolation: "shared" } },
  });
  const failure = await outer.connect("/mcp/moved").catch((error: Error) => error);
  expect((failure as Error).message).toContain(`sends requests on to http://127.0.0.1:${port}/`);
  expect(asked.slice(0, 6)).toEqual(["POST /a", "POST /b", "POST /a", "POST /b", "POST /a", "POST /b"]);
});

test("an HTTP+SSE server that redirects its stream and its messages to the path with a slash works", async () => {
  const port = await start((request, response) => {
    const { url = "", method } = request;
    if (url === "/sse" || url === "/messages") {
      request.resume();
      response.writeHead(307, { location: `${url}/` }).end();
    } else if (method === "GET") {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write("event: endpoint\ndata: /messages\n\n");
      streams.push(response);
    } else {
      void (json(request) as Promise<{ id?: number; method: string }>).then(({ id, method: called }) => {
        response.writeHead(202).end();
        const outcome =
          called in results ? { result: results[called] } : { error: { code: -32601, message: "unknown" } };
        if (id !== undefined) streams.at(-1)?.write(`data: ${JSON.stringify({ jsonrpc: "2.0", id, ...outcome })}\n\n`);
      });
    }
  });
  const streams: ServerResponse[] = [];
  const client = await serve({
    ...{ type: "custom", protocol: "sse", endpoints: [`http://127.0.0.1:${port}/sse`], isolation: "shared" },
  });
  expect(await say(client, "look")).toBe("seen");
  expect(asked.filter((one) => /\/(sse|messages)$/.test(one))).toEqual(["GET /sse", "POST /messages"]);
});

test("a WebSocket server that redirects the upgrade within its origin is found, another one is named", async () => {
  let location = "/real";
  const port = await start((_request, response) => response.writeHead(404).end());
  const sockets = new WebSocketServer({ noServer: true });
  front.on("upgrade", (request, socket, head) => {
    if (request.url !== "/real") {
      socket.end(`HTTP/1.1 307 Temporary Redirect\r\nlocation: ${location}\r\ncontent-length: 0\r\n\r\n`);
      return;
    }
    sockets.handleUpgrade(request, socket, head, (client) => {
      client.on("message", (data) => {
        const { id, method } = JSON.parse(String(data));
        const outcome = method in results ? { result: results[method] } : { error: { code: -32601, message: "no" } };
        if (id !== undefined) client.send(JSON.stringify({ jsonrpc: "2.0", id, ...outcome }));
      });
    });
  });
  const settings: ServerSettings = { type: "custom", endpoints: [`ws://127.0.0.1:${port}/ws`], isolation: "shared" };
  expect(await say(await serve(settings), "look")).toBe("seen");
  await outer?.close();
  location = "http://127.0.0.1:1/ws";
  outer = await TestGateway.start({ servers: { moved: settings } });
  const failure = await outer.connect("/mcp/moved").catch((error: Error) => error);
  expect((failure as Error).message).toContain(
    "sends requests on to ws://127.0.0.1:1/ws (HTTP 307); write that in endpoints of this server",
  );
});
