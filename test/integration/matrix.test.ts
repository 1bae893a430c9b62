import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import {
  Client,
  SSEClientTransport,
  StreamableHTTPClientTransport,
  type Transport,
} from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import type { Server } from "../../runtime/config/schema/index.ts";
import { TestGateway } from "../support/gateway.ts";
import { heardProgress } from "../support/heard-progress.ts";
import { Listening } from "../support/listening.ts";
import { TcpTransport, WebSocketTransport } from "../support/transports.ts";

// Every client transport in both eras against every server transport in both eras: the table in docs/protocol.md.
const fixture = (file: string) => join(import.meta.dirname, "../conformance/fixture", file);
const eras = ["legacy", "modern"] as const;
const networks = {
  http: { file: "http.ts", url: (port: number) => `http://127.0.0.1:${port}/mcp` },
  ws: { file: "web-socket.ts", url: (port: number) => `ws://127.0.0.1:${port}/` },
  tcp: { file: "tcp.ts", url: (port: number) => `tcp://127.0.0.1:${port}` },
} as const;
const bridging = ["http", "ws", "tcp", "stdio"].flatMap((transport) => eras.map((era) => `${transport}-${era}`));

let gateway: TestGateway;
const listening: Listening[] = [];

async function serverOver(transport: keyof typeof networks, era: string): Promise<Server> {
  const { file, url } = networks[transport];
  const server = await Listening.start(fixture(file), { ERA: era });
  listening.push(server);
  return { type: "custom", isolation: "shared", endpoints: [url(server.port)] };
}

beforeAll(async () => {
  const servers: Record<string, Server> = {};
  for (const era of eras) {
    for (const transport of ["http", "ws", "tcp"] as const) {
      servers[`${transport}-${era}`] = await serverOver(transport, era);
    }
    const process_ = { command: process.execPath, args: [fixture("stdio.ts")], env: { ERA: era } };
    servers[`stdio-${era}`] = { type: "custom", isolation: "shared", process: process_ };
  }
  const sse = await Listening.start(join(import.meta.dirname, "../fixtures/everything.ts"));
  listening.push(sse);
  servers.sse = { type: "custom", isolation: "shared", endpoints: [`http://127.0.0.1:${sse.port}/sse`] };
  gateway = await TestGateway.start({ gateway: { listeners: { tcp: { port: 0 } } }, servers });
});
afterAll(async () => {
  await gateway.close();
  await Promise.all(listening.map((server) => server.stop()));
});

const command = join(import.meta.dirname, "../../runtime/cli/main.ts");
const transports: Record<string, () => Transport> = {
  "Streamable HTTP": () => new StreamableHTTPClientTransport(new URL("/mcp", gateway.url)),
  "HTTP+SSE": () => new SSEClientTransport(new URL("/sse", gateway.url)),
  WebSocket: () => new WebSocketTransport(`${gateway.url.replace("http", "ws")}/ws`),
  TCP: () => new TcpTransport(gateway.gateway.tcpPort as number),
  "mcp-fleet connect": () => {
    const args = [command, "connect", "--url", `${gateway.url}/mcp`];
    return new StdioClientTransport({ command: process.execPath, args });
  },
};
const clients = Object.keys(transports).flatMap((transport) =>
  (["legacy", "auto"] as const).map((mode) => ({ transport, mode })),
);

describe.each(clients)("a client in mode $mode over $transport", ({ transport, mode }) => {
  let client: Client;
  let asked: string[] = [];
  beforeAll(async () => {
    const options = { capabilities: { elicitation: {}, sampling: {}, roots: {} }, versionNegotiation: { mode } };
    client = new Client({ name: "matrix", version: "1" }, options);
    client.setRequestHandler("elicitation/create", async ({ params }) => {
      asked.push(params.message);
      return { action: "accept" as const, content: { response: "yes" } };
    });
    client.setRequestHandler("roots/list", async () => ({ roots: [] }));
    await client.connect((transports[transport] as () => Transport)());
  });
  afterAll(() => client.close());

  async function call(name: string, args: Record<string, unknown>): Promise<{ text: unknown; progress: number[] }> {
    const { result, progress } = await heardProgress(client, (options) =>
      client.callTool({ name, arguments: args }, options),
    );
    return { text: (result.content as { text?: string }[])[0]?.text, progress };
  }

  test.each(bridging)("and a server %s: a result, a question with its answer, progress", async (server) => {
    expect(client.getProtocolEra?.()).toBe(mode === "auto" ? "modern" : "legacy");
    asked = [];
    expect((await call(`${server}__test_elicitation`, { message: server })).text).toBe(
      'User response: action=accept, content={"response":"yes"}',
    );
    expect(asked).toEqual([server]);
    expect((await call(`${server}__test_tool_with_progress`, {})).progress).toEqual([0, 50, 100]);
  });

  test("and a server over HTTP+SSE: a result, progress", async () => {
    expect((await call("sse__echo", { message: "hi" })).text).toBe("Echo: hi");
    const { progress } = await call("sse__trigger-long-running-operation", { duration: 0.3, steps: 3 });
    expect(progress).toEqual([1, 2, 3]);
  });
});
