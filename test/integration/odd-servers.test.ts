import { createServer } from "node:http";
import { createServer as createTcpServer } from "node:net";
import { createInterface } from "node:readline";
import { afterEach, expect, test } from "@jest/globals";
import { WebSocketServer } from "ws";
import {
  answerTo,
  asked,
  connect,
  endOddServer,
  listen,
  look,
  type Message,
  seen,
  startGateway,
  startHttp,
} from "../support/odd-server.ts";

// Servers that real people run: each says something that no specification foresees.
afterEach(endOddServer);

test("HTTP 400 'no valid session' with the request's id renews the session: the call succeeds", async () => {
  let sessions = 0;
  const at = await startHttp(({ id, method }, request, response) => {
    if (method === "initialize") {
      sessions += 1;
      response.setHeader("mcp-session-id", `s${sessions}`);
    }
    // It was started anew after the first call.
    if (method !== "tools/call" || request.headers["mcp-session-id"] !== "s1" || !asked.includes("look again"))
      return false;
    const error = { code: -32000, message: "Bad Request: No valid session ID provided" };
    response.writeHead(400, { "content-type": "application/json" });
    response.end(JSON.stringify({ jsonrpc: "2.0", id, error }));
    return true;
  });
  const client = await connect(`http://${at}/mcp`);
  expect(await client.callTool(look)).toEqual(seen);
  asked.push("look again");
  expect(await client.callTool(look)).toEqual(seen);
  expect(sessions).toBe(2);
});

test("HTTP 400 about a call that only speaks of sessions is the call's own answer", async () => {
  const at = await startHttp(({ id, method }, _request, response) => {
    if (method === "initialize") response.setHeader("mcp-session-id", "s");
    if (method !== "tools/call") return false;
    const error = { code: -32602, message: "unknown browser session" };
    response.writeHead(400, { "content-type": "application/json" });
    response.end(JSON.stringify({ jsonrpc: "2.0", id, error }));
    return true;
  });
  const failure = await (await connect(`http://${at}/mcp`)).callTool(look).catch((error: Error) => error.message);
  expect(failure).toContain("unknown browser session");
});

test.each([500, 501, 503])("HTTP %i to server/discover is no verdict: initialize is tried", async (status) => {
  const at = await startHttp(({ method }, _request, response) => {
    if (method !== "server/discover") return false;
    response.writeHead(status).end("Internal Server Error");
    return true;
  });
  expect(await (await connect(`http://${at}/mcp`)).callTool(look)).toEqual(seen);
});

test("a server that answers HTTP 500 to everything is named with its answer", async () => {
  const at = await startHttp((_message, _request, response) => {
    response.writeHead(500).end("boom");
    return true;
  });
  const failure = await connect(`http://${at}/mcp`).catch((error: Error) => error.message);
  expect(failure).toContain(`odd: http://${at} answered HTTP 500 without a JSON-RPC response: boom`);
});

test("a GET stream that is answered by JSON is not asked for again", async () => {
  const at = await startHttp(({ method }, _request, response) => {
    if (method === "initialize") response.setHeader("mcp-session-id", "s");
    if (method !== "GET") return false;
    response.writeHead(200, { "content-type": "application/json" }).end("{}");
    return true;
  });
  const client = await connect(`http://${at}/mcp`);
  while (!asked.includes("GET")) await client.callTool(look);
  // Longer than the pause between two attempts.
  await new Promise((resolve) => setTimeout(resolve, 1500));
  expect(asked.filter((method) => method === "GET")).toEqual(["GET"]);
});

test.each([
  ["JSON", { "content-type": "application/json" }, (id: unknown) => `{"jsonrpc":"2.0","id":${id},"result":{}}`],
  [
    "an error in a stream",
    { "content-type": "text/event-stream" },
    (id: unknown) => `data: {"jsonrpc":"2.0","id":${id},"error":{"code":-32601,"message":"no streams"}}\n\n`,
  ],
])("subscriptions/listen that is answered by %s is not asked for again", async (_what, headers, answer) => {
  const at = await startHttp(({ id, method }, _request, response) => {
    if (method === "server/discover") {
      const capabilities = { tools: { listChanged: true } };
      const result = { supportedVersions: ["2026-07-28"], capabilities };
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify({ jsonrpc: "2.0", id, result }));
      return true;
    }
    if (method !== "subscriptions/listen") return false;
    response.writeHead(200, headers).end(answer(id));
    return true;
  });
  const client = await connect(`http://${at}/mcp`);
  while (!asked.includes("subscriptions/listen")) await client.callTool(look);
  await new Promise((resolve) => setTimeout(resolve, 1500));
  expect(asked.filter((method) => method === "subscriptions/listen")).toEqual(["subscriptions/listen"]);
});

test.each([
  [
    "its id and both members",
    (id: unknown) => `{"jsonrpc":"2.0","id":${id},"result":{},"error":{}}`,
    '"id" with one of',
  ],
  ["its id and no JSON", (id: unknown) => `{"jsonrpc":"2.0","id":${id},"result":{]}`, "the answer is not JSON"],
  ["no id", () => '{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"x"}}', "its id is null"],
])("an event with %s fails its call at once, on a stream that stays open", async (_what, said, problem) => {
  const at = await startHttp(({ id, method }, _request, response) => {
    if (method !== "tools/call") return false;
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(`data: ${said(id)}\n\n`);
    return true;
  });
  const failure = await (await connect(`http://${at}/mcp`)).callTool(look).catch((error: Error) => error.message);
  expect(failure).toContain(problem);
});

test.each([
  ["a text", '"out of paper"', { code: -32603, message: "out of paper" }],
  ["null", "null", { code: -32603, message: "malformed error: null" }],
  ["a number", "42", { code: -32603, message: "malformed error: 42" }],
  ["no code", '{"message":"no paper"}', { code: -32603, message: "no paper" }],
  ["a code in quotes", '{"code":"-32000","message":"no paper"}', { code: -32000, message: "no paper" }],
  [
    "a fraction as code",
    '{"code":1.5,"message":"no paper","data":{"a":1}}',
    { code: -32603, message: "no paper", data: { a: 1 } },
  ],
  [
    "no message",
    '{"code":-32000,"data":"x"}',
    { code: -32000, message: 'malformed error: {"code":-32000,"data":"x"}', data: "x" },
  ],
])("an error that is %s reaches the client as a sound one", async (_what, error, expected) => {
  const at = await startHttp(({ id, method }, _request, response) => {
    if (method !== "tools/call") return false;
    response.writeHead(200, { "content-type": "application/json" });
    response.end(`{"jsonrpc":"2.0","id":${id},"error":${error}}`);
    return true;
  });
  const gateway = await startGateway(`http://${at}/mcp`);
  const answer = await fetch(`${gateway.url}/api/v1/servers/odd/requests`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ method: "tools/call", params: look }),
  });
  expect(await answer.json()).toMatchObject({ error: expected });
});

/** Takes whole messages over TCP or WebSocket; what `odd` answers goes out as it is. */
async function startDuplex(
  kind: "tcp" | "ws",
  odd: (message: Message) => string | Buffer | undefined,
): Promise<string> {
  const respond = (said: string, send: (answer: string | Buffer) => void) => {
    const message = JSON.parse(said) as Message;
    if (message.id !== undefined) send(odd(message) ?? answerTo(message));
  };
  if (kind === "ws") {
    const http = createServer();
    new WebSocketServer({ server: http }).on("connection", (client) =>
      client.on("message", (data) => respond(String(data), (answer) => client.send(answer.toString()))),
    );
    return `ws://${await listen(http)}`;
  }
  const tcp = createTcpServer((socket) => {
    let unread = "";
    socket.on("data", (chunk) => {
      const lines = (unread + chunk).split("\n");
      unread = lines.pop() as string;
      for (const line of lines) {
        respond(line, (answer) => {
          socket.write(answer);
          socket.write("\n");
        });
      }
    });
  });
  return `tcp://${await listen(tcp)}`;
}

test.each(["tcp", "ws"] as const)(
  "over %s an answer that is none fails its call at once, and null is no member",
  async (kind) => {
    const said = [
      (id: unknown) => `{"jsonrpc":"2.0","id":${id},"result":{},"error":{}}`,
      (id: unknown) => `{"jsonrpc":"2.0","id":${id},"result":{"content":[]},"error":null}`,
    ];
    const at = await startDuplex(kind, ({ id, method }) => (method === "tools/call" ? said.shift()?.(id) : undefined));
    const client = await connect(at);
    const call = () => client.callTool(look).catch((error: Error) => error.message);
    expect(await call()).toContain('"id" with one of "result" and "error"');
    expect(await call()).toEqual({ content: [] });
    expect(await call()).toEqual(seen);
  },
);

test("over tcp an answer that is not UTF-8 fails its call at once", async () => {
  const at = await startDuplex("tcp", ({ id, method }) =>
    method === "tools/call"
      ? Buffer.from(`{"jsonrpc":"2.0","id":${id},"result":{"content":[{"type":"text","text":"\xe9"}]}}`, "latin1")
      : undefined,
  );
  const failure = await (await connect(at)).callTool(look).catch((error: Error) => error.message);
  expect(failure).toContain("odd: the answer is not UTF-8; correct the server's output");
});

test.each(["http", "tcp", "ws"] as const)(
  "over %s a byte order mark before each answer changes nothing",
  async (kind) => {
    const marked = (message: Message) => `\ufeff${answerTo(message)}`;
    const at =
      kind === "http"
        ? `http://${await startHttp((message, _request, response) => {
            if (message.id === undefined) return false;
            response.writeHead(200, { "content-type": "application/json" }).end(marked(message));
            return true;
          })}/mcp`
        : await startDuplex(kind, marked);
    expect(await (await connect(at)).callTool(look)).toEqual(seen);
  },
);

test("a server that reads lines with Node's readline gets a text with line separators as it was", async () => {
  const text = "one\u2028two\u2029three\u0085four";
  const tcp = createTcpServer((socket) => {
    createInterface({ input: socket }).on("line", (line) => {
      const message = JSON.parse(line) as Message;
      const result = { content: [{ type: "text", text: (message.params?.arguments as { text?: string })?.text }] };
      if (message.id === undefined) return;
      const said =
        message.method === "tools/call"
          ? JSON.stringify({ jsonrpc: "2.0", id: message.id, result })
          : answerTo(message);
      socket.write(`${said}\n`);
    });
  });
  const client = await connect(`tcp://${await listen(tcp)}`);
  expect(await client.callTool({ name: "look", arguments: { text } })).toEqual({ content: [{ type: "text", text }] });
});
