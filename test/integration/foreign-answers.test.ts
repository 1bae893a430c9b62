import type { AddressInfo } from "node:net";
import { createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { TestGateway } from "../support/gateway.ts";
import { RawClient } from "../support/raw-client.ts";

// A server that answers late, twice or under another id, with two callers on one pooled connection: bob never gets to see
// what is alice's, and the next call is right again.
interface Rpc {
  readonly id?: number;
  readonly method: string;
  readonly params?: { readonly name?: string; readonly arguments?: { readonly say?: string }; readonly _meta?: Meta };
}
interface Meta {
  readonly progressToken?: unknown;
}

const http = (body: string, { status = "200 OK", type = "application/json" } = {}) =>
  `HTTP/1.1 ${status}\r\ncontent-type: ${type}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
const rpc = (message: object) => JSON.stringify({ jsonrpc: "2.0", ...message });
const events = (...messages: object[]) =>
  http(messages.map((message) => `data: ${rpc(message)}\n\n`).join(""), { type: "text/event-stream" });
const own = ({ id, params }: Rpc, padding = 0) => ({
  id,
  result: { content: [{ type: "text", text: `own ${params?.arguments?.say} ${"x".repeat(padding)}` }] },
});
const tokenOf = ({ params }: Rpc) => params?._meta?.progressToken;

let server: Server;
let sockets: Socket[];
let gateway: TestGateway;
/** What the server writes to a call, on its connection; `before` is the call before it there. */
let answer: (socket: Socket, call: Rpc, before: Rpc | undefined) => void;
let connections: number;

beforeEach(async () => {
  sockets = [];
  connections = 0;
  server = createServer((socket) => {
    let text = "";
    let before: Rpc | undefined;
    connections += 1;
    sockets.push(socket);
    socket.on("error", () => {});
    socket.on("data", (bytes) => {
      text += bytes;
      const head = text.indexOf("\r\n\r\n");
      const length = Number(/content-length: (\d+)/.exec(text)?.[1] ?? 0);
      if (head < 0 || text.length < head + 4 + length) return;
      const body = text.slice(head + 4, head + 4 + length);
      const verb = text.slice(0, 4);
      text = text.slice(head + 4 + length);
      if (verb !== "POST") {
        socket.write(http("", { status: "405 Method Not Allowed" }));
        return;
      }
      const message = JSON.parse(body) as Rpc;
      const results: Record<string, object> = {
        initialize: {
          protocolVersion: "2025-11-25",
          serverInfo: { name: "twice", version: "1" },
          capabilities: { tools: { listChanged: true }, logging: {} },
        },
        "tools/list": { tools: [{ name: "say", inputSchema: { type: "object" } }] },
      };
      if (message.id === undefined) socket.write(http("", { status: "202 Accepted" }));
      else if (message.method === "tools/call") {
        answer(socket, message, before);
        before = message;
      } else if (message.method in results) {
        socket.write(http(rpc({ id: message.id, result: results[message.method] })));
      } else socket.write(http(rpc({ id: message.id, error: { code: -32601, message: "no" } })));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  gateway = await TestGateway.start({
    gateway: {
      auth: { bearerTokens: ["alice", "bob"].map((name) => ({ name, token: `${name}-token-of-the-test` })) },
    },
    servers: {
      twice: {
        type: "custom",
        isolation: "shared",
        pool: { maxConnections: 1 },
        endpoints: [`http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`],
      },
    },
  });
});
afterEach(async () => {
  await gateway.close();
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});

const connect = (name: string, capabilities?: object) =>
  RawClient.open(
    new URL("/mcp/twice", gateway.url).href,
    { authorization: `Bearer ${name}-token-of-the-test` },
    capabilities,
  );
const meta = { progressToken: "same" };

const late: readonly [string, (before: Rpc) => string][] = [
  ["as it was", (before) => http(rpc(own(before)))],
  ["large", (before) => http(rpc(own(before, 20_000)))],
  [
    "large, its result first",
    (before) => http(`{"result":${JSON.stringify(own(before, 20_000).result)},"jsonrpc":"2.0","id":${before.id}}`),
  ],
  ["as an error", ({ id, params }) => http(rpc({ id, error: { code: 1, message: `no ${params?.arguments?.say}` } }))],
  [
    "as an error without id",
    ({ params }) => http(rpc({ id: null, error: { code: 1, message: params?.arguments?.say } })),
  ],
  [
    "as an error of the transport",
    ({ params }) =>
      http(rpc({ id: "server-error", error: { code: 1, message: params?.arguments?.say } }), {
        status: "400 Bad Request",
      }),
  ],
  [
    "as words",
    ({ params }) =>
      http(`out of memory: ${params?.arguments?.say}`, { status: "500 Internal Server Error", type: "text/plain" }),
  ],
  ["as a taken notification", () => http("", { status: "202 Accepted" })],
  [
    "as a stream with its progress and log lines",
    (before) =>
      events(
        { method: "notifications/message", params: { level: "error", data: before.params?.arguments?.say } },
        {
          method: "notifications/progress",
          params: { progressToken: tokenOf(before), progress: 1, message: before.params?.arguments?.say },
        },
        own(before),
      ),
  ],
];

describe.each(late)("a doubled answer that comes late, %s", (_how, again) => {
  test("never reaches another caller", async () => {
    const [alice, bob] = [await connect("alice"), await connect("bob")];
    let doubled = 0;
    answer = (socket, call, before) => {
      if (before !== undefined && doubled === 0) {
        doubled += 1;
        socket.write(again(before));
      }
      socket.write(http(rpc(own(call))));
    };
    expect(await alice.call("say", { say: "ALICE-SECRET" }, meta)).toContain("own ALICE-SECRET");
    const opened = connections;
    const wrong = await bob.call("say", { say: "bob-0" }, meta);
    expect(wrong).not.toContain("ALICE");
    expect(wrong).toContain('"code":"UPSTREAM_PROTOCOL"');
    // The connection is gone, and with it the shift.
    for (const round of [1, 2, 3]) {
      expect(await bob.call("say", { say: `bob-${round}` }, meta)).toContain(`own bob-${round}`);
      expect(await alice.call("say", { say: `ALICE-SECRET-${round}` }, meta)).toContain(`own ALICE-SECRET-${round}`);
    }
    expect([doubled, connections]).toEqual([1, opened + 1]);
  });

  test("does not find a client that can be asked: it has a connection that served nobody else", async () => {
    const [alice, bob] = [await connect("alice"), await connect("bob", { elicitation: {}, roots: {} })];
    answer = (socket, call, before) => {
      if (before !== undefined) socket.write(again(before));
      socket.write(http(rpc(own(call))));
    };
    await alice.call("say", { say: "ALICE-SECRET" }, meta);
    expect(await bob.call("say", { say: "bob" }, meta)).toContain("own bob");
  });
});

test.each([
  ["one more", (id: number) => String(id + 1)],
  ["in quotes", (id: number) => `"${id}"`],
  ["a fraction", (id: number) => `${id}.0`],
  ["twice", (id: number) => `${id},"id":${id}`],
  ["null", () => "null"],
])("an answer with the wrong id (%s) fails its call and closes the connection", async (_what, idOf) => {
  const bob = await connect("bob");
  let bad = true;
  answer = (socket, call) => {
    const { id = 0, result } = own(call);
    socket.write(http(`{"jsonrpc":"2.0","id":${bad ? idOf(id) : id},"result":${JSON.stringify(result)}}`));
  };
  const opened = connections;
  expect(await bob.call("say", { say: "bob" })).toContain('"code":"UPSTREAM_PROTOCOL"');
  bad = false;
  expect(await bob.call("say", { say: "bob" })).toContain("own bob");
  expect(connections).toBe(opened + 1);
});

test.each([
  ["another id", (call: Rpc) => [{ ...own(call), id: 1 }, own(call)]],
  ["its id twice", (call: Rpc) => [own(call), { id: call.id, result: { content: [] } }]],
])("a stream with an answer under %s fails its call", async (_what, said) => {
  const bob = await connect("bob");
  answer = (socket, call) => socket.write(events(...said(call)));
  expect(await bob.call("say", { say: "bob" })).toContain('"code":"UPSTREAM_PROTOCOL"');
});

test("an array of one answer is that answer, one of two fails the call", async () => {
  const bob = await connect("bob");
  let count = 0;
  answer = (socket, call) => {
    count += 1;
    const one = rpc(own(call));
    socket.write(http(`[${count === 1 ? one : `${one},${one}`}]`));
  };
  expect(await bob.call("say", { say: "bob" })).toContain("own bob");
  expect(await bob.call("say", { say: "bob" })).toContain('"code":"UPSTREAM_PROTOCOL"');
});

test("a large result cannot bring an id of its own along", async () => {
  const bob = await connect("bob");
  answer = (socket, call) => {
    const { id, result } = own(call, 20_000);
    socket.write(http(`{"jsonrpc":"2.0","id":${id},"result":${JSON.stringify(result)},"id":999}`));
  };
  const text = await bob.call("say", { say: "bob" });
  expect(text).toContain('"code":"UPSTREAM_PROTOCOL"');
  expect(text).not.toContain("999");
});

test("progress and log lines of a call arrive as before, under the client's own token", async () => {
  const [alice, bob] = [await connect("alice"), await connect("bob")];
  answer = (socket, call) =>
    socket.write(
      events(
        { method: "notifications/message", params: { level: "error", data: "working" } },
        { method: "notifications/progress", params: { progressToken: tokenOf(call), progress: 1 } },
        { method: "notifications/progress", params: { progressToken: "another", progress: 2 } },
        own(call),
      ),
    );
  await alice.call("say", { say: "alice" }, meta);
  const said = (await bob.call("say", { say: "bob" }, meta)).split("\n").filter((line) => line.startsWith("data:"));
  expect(said.map((line) => JSON.parse(line.slice(5)))).toEqual([
    { jsonrpc: "2.0", method: "notifications/message", params: { level: "error", data: "working" } },
    { jsonrpc: "2.0", method: "notifications/progress", params: { progressToken: "same", progress: 1 } },
    { jsonrpc: "2.0", id: 2, result: { content: [{ type: "text", text: "own bob " }] } },
  ]);
});
