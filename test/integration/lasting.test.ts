import { createHash } from "node:crypto";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import {
  Client,
  SSEClientTransport,
  StreamableHTTPClientTransport,
  type Transport,
} from "@modelcontextprotocol/client";
import type { Server } from "../../runtime/config/schema/index.ts";
import { TestGateway } from "../support/gateway.ts";
import { Listening } from "../support/listening.ts";
import { TcpTransport, WebSocketTransport } from "../support/transports.ts";

// Calls that last, and results that are large, from clients of either era to servers of either era over every transport.
const fixtures = join(import.meta.dirname, "../conformance/fixture");
const lasting = join(import.meta.dirname, "../fixtures/lasting-server.ts");
const tenMegabytes = 10_000_000;
const line = "abcdefghijklmnopqrstuvwxyz0123456789\n";
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const expected = sha256(line.repeat(Math.ceil(tenMegabytes / line.length)).slice(0, tenMegabytes));

const upstreams = {
  "Streamable HTTP, event streams": { file: "http.ts", url: (port: number) => `http://127.0.0.1:${port}/mcp`, env: {} },
  "Streamable HTTP, JSON": {
    ...{ file: "http.ts", url: (port: number) => `http://127.0.0.1:${port}/mcp`, env: { ANSWERS: "json" } },
  },
  "standard streams": { file: "stdio.ts", url: undefined, env: {} },
  TCP: { file: "tcp.ts", url: (port: number) => `tcp://127.0.0.1:${port}`, env: {} },
  WebSocket: { file: "web-socket.ts", url: (port: number) => `ws://127.0.0.1:${port}/`, env: {} },
} as const;
const cells = Object.keys(upstreams).flatMap((transport) =>
  (["legacy", "modern"] as const).map((era) => ({ transport: transport as keyof typeof upstreams, era })),
);

let gateway: TestGateway;
let server: Listening | undefined;
const clients: Client[] = [];

async function start(transport: keyof typeof upstreams, era: string): Promise<void> {
  const { file, url, env } = upstreams[transport];
  const given = { ...env, ERA: era, FIXTURE: lasting };
  let config: Partial<Server>;
  if (url === undefined) {
    config = { process: { command: process.execPath, args: [join(fixtures, file)], env: given } };
  } else {
    server = await Listening.start(join(fixtures, file), given);
    config = { endpoints: [url(server.port)] };
  }
  gateway = await TestGateway.start({
    gateway: { listeners: { tcp: { port: 0, server: "lasting" } } },
    servers: { lasting: { type: "custom", isolation: "shared", ...config } },
  });
}
async function stop(): Promise<void> {
  await gateway.close();
  await server?.stop();
  server = undefined;
}
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
});

async function connect(mode: "legacy" | "auto", transport?: Transport): Promise<Client> {
  const client = new Client({ name: "patient", version: "1" }, { versionNegotiation: { mode } });
  await client.connect(transport ?? new StreamableHTTPClientTransport(new URL("/mcp/lasting", gateway.url)));
  clients.push(client);
  return client;
}

async function textOf(client: Client, name: string, args: Record<string, unknown> = {}): Promise<string> {
  const { content } = await client.callTool({ name, arguments: args });
  return (content as { text: string }[])[0]?.text as string;
}

/** Asks until the server says this. */
async function until(client: Client, counts: object): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    const seen = JSON.parse(await textOf(client, "counts"));
    if (JSON.stringify(seen) === JSON.stringify(counts) || tries === 100) return expect(seen).toEqual(counts);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A call that is cancelled as soon as the server works on it; `others` were cancelled before it. */
async function cancels(client: Client, others: number): Promise<void> {
  const stop_ = new AbortController();
  const call = client.callTool({ name: "wait", arguments: {} }, { signal: stop_.signal }).catch((error) => error);
  await until(client, { waiting: 1, cancelled: others });
  stop_.abort("enough");
  expect(String(await call)).toContain("enough");
  await until(client, { waiting: 0, cancelled: others + 1 });
}

describe.each(cells)("a server of the $era era over $transport", ({ transport, era }) => {
  beforeAll(() => start(transport, era));
  afterAll(stop);

  test("a call that its client cancels is cancelled there, whatever era the client is of", async () => {
    await cancels(await connect("legacy"), 0);
    await cancels(await connect("auto"), 1);
  });

  test.each(["legacy", "auto"] as const)("a result of 10 MB reaches a client in mode %s whole", async (mode) => {
    const text = await textOf(await connect(mode), "large", { bytes: tenMegabytes });
    expect([text.length, sha256(text)]).toEqual([tenMegabytes, expected]);
  });
});

test("calls of a session end with it", async () => {
  await start("Streamable HTTP, event streams", "legacy");
  const [leaving, staying] = [await connect("legacy"), await connect("legacy")];
  const call = leaving.callTool({ name: "wait", arguments: {} }).catch((error) => error);
  await until(staying, { waiting: 1, cancelled: 0 });
  await (leaving.transport as StreamableHTTPClientTransport).terminateSession();
  await until(staying, { waiting: 0, cancelled: 1 });
  expect((await call).data).toEqual({ code: "CANCELLED" });
  await staying.close();
  await stop();
});

test.each(["legacy", "auto"] as const)(
  "a client in mode %s without roots: only a call that cannot do without them fails",
  async (mode) => {
    await start("standard streams", "legacy");
    const client = await connect(mode);
    expect(await textOf(client, "roots", { optional: true })).toBe("does without");
    const failed = await client.callTool({ name: "roots", arguments: { optional: false } }).catch((error) => error);
    if (mode === "legacy") expect(failed).toMatchObject({ isError: true });
    else expect(failed).toMatchObject({ code: -32021, data: { requiredCapabilities: { roots: {} } } });
    await client.close();
    await stop();
  },
);

describe("clients over other transports", () => {
  beforeAll(() => start("Streamable HTTP, event streams", "legacy"));
  afterAll(stop);
  const transports: Record<string, () => Transport> = {
    WebSocket: () => new WebSocketTransport(`${gateway.url.replace("http", "ws")}/ws/lasting`),
    TCP: () => new TcpTransport(gateway.gateway.tcpPort as number),
    "HTTP+SSE": () => new SSEClientTransport(new URL("/sse/lasting", gateway.url)),
  };
  let before = 0;

  test.each(Object.keys(transports))("%s: cancellation, and three results of 10 MB at once", async (name) => {
    const client = await connect("legacy", (transports[name] as () => Transport)());
    await cancels(client, before);
    before += 1;
    const texts = await Promise.all([1, 2, 3].map(() => textOf(client, "large", { bytes: tenMegabytes })));
    expect(texts.map(sha256)).toEqual([expected, expected, expected]);
  });
});
