import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { Client, SSEClientTransport, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { Agent, fetch as undiciFetch } from "undici";
import { Listening } from "../support/listening.ts";
import { Serving } from "../support/serving.ts";

// Real worker processes behind one port. Clients open a connection for each request, so that any worker may get it.
const fixture = (name: string) => join(import.meta.dirname, "../fixtures", name);
const anywhere = new Agent({ pipelining: 0 });
const spread = ((url: string, init: object) =>
  undiciFetch(url, { ...init, dispatcher: anywhere })) as unknown as typeof fetch;
let echo: Listening;
let serving: Serving;

beforeAll(async () => {
  echo = await Listening.start(join(import.meta.dirname, "../bench/echo-upstream.mjs"));
  const asking = join(import.meta.dirname, "../conformance/fixture/stdio.ts");
  serving = await Serving.start(
    {
      gateway: { workers: 2, log: { level: "info" } },
      servers: {
        echo: { type: "custom", isolation: "shared", endpoints: [`http://127.0.0.1:${echo.port}/mcp`] },
        counter: {
          ...{ type: "custom", isolation: "session", scaling: { minInstances: 1, maxInstances: 3 } },
          ...{ timeouts: { connectMs: 2000 } },
          process: { command: process.execPath, args: [fixture("light-server.mjs")] },
        },
        asking: {
          ...{ type: "custom", isolation: "session" },
          process: { command: process.execPath, args: [asking], env: { ERA: "legacy" } },
        },
      },
    },
    "workers serve",
  );
});
afterAll(async () => {
  const code = await serving?.stop();
  await echo.stop();
  await anywhere.close();
  expect(code).toBe(0);
});

/** Resolves when the gateway has the client's stream as well: without one a client counts as gone between its calls. */
async function connectStreaming(path: string): Promise<Client> {
  const streaming = Promise.withResolvers<void>();
  const client = await connect(path, "legacy", async (url, init) => {
    const response = await spread(url, init);
    if (init?.method === "GET") streaming.resolve();
    return response;
  });
  await streaming.promise;
  return client;
}

async function connect(path: string, mode: "legacy" | "auto" = "legacy", fetch = spread): Promise<Client> {
  const client = new Client(
    { name: "spread", version: "1" },
    { capabilities: { elicitation: {} }, versionNegotiation: { mode } },
  );
  client.setRequestHandler("elicitation/create", async () => ({
    action: "accept" as const,
    content: { response: "yes" },
  }));
  await client.connect(new StreamableHTTPClientTransport(new URL(path, serving.url), { fetch }));
  return client;
}
const textOf = (result: unknown) => ((result as { content: { text: string }[] }).content[0] as { text: string }).text;
const count = async (client: Client) => JSON.parse(textOf(await client.callTool({ name: "count", arguments: {} })));
const pids = async () => (await serving.status()).workers.map(({ pid }) => pid);

test("a session's calls reach its one process, whichever worker takes the connection", async () => {
  const clients = await Promise.all([connectStreaming("/mcp/counter"), connectStreaming("/mcp/counter")]);
  const answers = [];
  for (const client of clients) for (let call = 1; call <= 4; call += 1) answers.push(await count(client));
  expect(answers.map((answer) => answer.count)).toEqual([1, 2, 3, 4, 1, 2, 3, 4]);
  expect(new Set(answers.map(({ pid }) => pid)).size).toBe(2);

  // The bound is the gateway's, not each worker's: a fourth session waits and is told.
  const more = await Promise.all([connectStreaming("/mcp/counter"), connectStreaming("/mcp/counter")]);
  const outcomes = await Promise.allSettled(more.map((client) => count(client)));
  expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  expect(outcomes.find(({ status }) => status === "rejected")).toMatchObject({
    reason: { data: { code: "POOL_EXHAUSTED", retryable: true } },
  });
  for (const client of [...clients, ...more]) {
    await (client.transport as StreamableHTTPClientTransport).terminateSession();
    await client.close();
  }
  // Ended sessions give their processes back; one stays warm.
  await until(
    async () => (await serving.status()).servers.find(({ name }) => name === "counter")?.instances.total === 1,
  );
});

test("a result larger than what a link may hold back does not stop the link", async () => {
  const client = await connect("/mcp/counter");
  for (let call = 0; call < 3; call += 1) {
    const { content } = await client.callTool({ name: "big", arguments: { mib: 12 } }, { timeout: 20_000 });
    expect((content as { text: string }[])[0]?.text).toHaveLength(12 * 2 ** 20);
  }
  await (client.transport as StreamableHTTPClientTransport).terminateSession();
  await client.close();
});

test.each(["legacy", "auto"] as const)(
  "a server's question reaches a client in mode %s, and its answer the call",
  async (mode) => {
    for (let time = 0; time < 4; time += 1) {
      const client = await connect("/mcp/asking", mode);
      const result = await client.callTool({ name: "test_elicitation", arguments: { message: "sure?" } });
      expect(textOf(result)).toBe('User response: action=accept, content={"response":"yes"}');
      if (mode === "legacy") await (client.transport as StreamableHTTPClientTransport).terminateSession();
      await client.close();
    }
  },
);

test("messages of HTTP+SSE clients find the worker with their stream", async () => {
  for (let time = 0; time < 2; time += 1) {
    const client = new Client({ name: "old", version: "1" });
    await client.connect(new SSEClientTransport(new URL("/sse/echo", serving.url), { fetch: spread }));
    for (let call = 0; call < 3; call += 1) {
      const result = await client.callTool({ name: "echo", arguments: { text: `call ${call}` } });
      expect(textOf(result)).toBe(`call ${call}`);
    }
    await client.close();
  }
});

test("metrics and status are the whole gateway's", async () => {
  const before = await calls();
  const clients = await Promise.all(Array.from({ length: 4 }, () => connect("/mcp/echo")));
  for (const client of clients)
    for (let call = 0; call < 5; call += 1) await client.callTool({ name: "echo", arguments: { text: "t" } });
  expect((await calls()) - before).toBe(20);
  const status = await serving.status();
  expect(status.workers.map(({ slot, restarts }) => ({ slot, restarts }))).toEqual([
    { slot: 0, restarts: 0 },
    { slot: 1, restarts: 0 },
  ]);
  expect(status.servers.map(({ name, health, instances }) => [name, health, instances.total])).toEqual([
    ["asking", "ready", expect.any(Number)],
    ["counter", "ready", 1],
    ["echo", "ready", 2],
  ]);
  const rest = (await (await fetch(`${serving.url}/api/v1/servers`)).json()) as { name: string; instances: object }[];
  expect(rest.map(({ name, instances }) => [name, instances])).toEqual(
    status.servers.map(({ name, instances }) => [name, instances]),
  );
  await Promise.all(clients.map((client) => client.close()));

  async function calls(): Promise<number> {
    const text = await (await fetch(`${serving.url}/metrics`)).text();
    return Number(/^mcp_request_total\{server="echo",method="tools\/call",status="ok"\} (\d+)$/m.exec(text)?.[1] ?? 0);
  }
});

test("kill -9 of each worker under load: no idempotent call fails, sessions and their processes go on", async () => {
  const stateful = await connect("/mcp/counter");
  const first = await count(stateful);
  const load = new Load(8);
  await load.running(200);
  for (const { slot } of (await serving.status()).workers) {
    const { pid } = (await serving.status()).workers.find((worker) => worker.slot === slot) as { pid: number };
    process.kill(pid, "SIGKILL");
    await load.running(200);
    await until(async () => {
      const worker = (await serving.status()).workers.find((one) => one.slot === slot);
      return worker !== undefined && worker.pid !== pid;
    });
    await load.running(200);
  }
  expect(await load.end()).toEqual([]);
  expect(
    (await serving.status()).workers.map(({ slot, restarts }) => ({ slot, restarts })).sort((a, b) => a.slot - b.slot),
  ).toEqual([
    { slot: 0, restarts: 1 },
    { slot: 1, restarts: 1 },
  ]);
  // Same session, same process: its state outlived both workers.
  expect(await count(stateful)).toEqual({ ...first, count: first.count + 1 });
  await stateful.close();
});

test.each(["SIGHUP", "POST /workers/replace"])(
  "%s replaces the workers under load, and nobody notices",
  async (way) => {
    const stateful = await connect("/mcp/counter");
    const first = await count(stateful);
    const before = await pids();
    const load = new Load(8);
    await load.running(200);
    if (way === "SIGHUP") serving.child.kill("SIGHUP");
    else await serving.admin("POST", "/workers/replace");
    await until(async () => (await pids()).every((pid) => !before.includes(pid)));
    await until(async () => before.every((pid) => !alive(pid)));
    await load.running(200);
    expect([await load.end(), load.retried]).toEqual([[], 0]);
    expect(await count(stateful)).toEqual({ ...first, count: first.count + 1 });
    await stateful.close();
  },
);

/** Sessions that call `echo` without a pause; a call whose connection breaks is sent again over a new one, at most twice, as HTTP clients do. */
class Load {
  retried = 0;
  #calls = 0;
  #ended = false;
  readonly #failures: string[] = [];
  readonly #sessions: Promise<void>[];
  readonly #agent = new Agent({ connections: 2 });

  constructor(sessions: number) {
    this.#sessions = Array.from({ length: sessions }, (_, index) => this.#session(index));
  }

  /** Resolves when so many more calls have been answered. */
  async running(calls: number): Promise<void> {
    const goal = this.#calls + calls;
    await until(async () => this.#calls >= goal || this.#failures.length > 0);
  }

  /** Resolves with what went wrong. */
  async end(): Promise<readonly string[]> {
    this.#ended = true;
    await Promise.all(this.#sessions);
    await this.#agent.close();
    return this.#failures;
  }

  async #session(index: number): Promise<void> {
    const params = { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "load", version: "1" } };
    const opened = await this.#post({}, 0, "initialize", params);
    const session = { "mcp-session-id": opened.headers.get("mcp-session-id") as string };
    await opened.text();
    for (let id = 1; !this.#ended; id += 1) {
      const text = `${index}-${id}`;
      try {
        const answer = await this.#post(session, id, "tools/call", { name: "echo", arguments: { text } });
        const reply = (await answer.json()) as { id: number; result?: { content: { text: string }[] } };
        if (reply.id === id && reply.result?.content[0]?.text === text) this.#calls += 1;
        else this.#failures.push(JSON.stringify(reply));
      } catch (error) {
        this.#failures.push(String((error as Error).cause ?? error));
      }
    }
  }

  async #post(headers: Record<string, string>, id: number, method: string, params: object) {
    const send = (dispatcher: Agent) =>
      undiciFetch(`${serving.url}/mcp/echo`, {
        ...{ method: "POST", dispatcher, body: JSON.stringify({ jsonrpc: "2.0", id, method, params }) },
        headers: { "content-type": "application/json", accept: "application/json, text/event-stream", ...headers },
      });
    const resend = () => {
      this.retried += 1;
      return send(anywhere);
    };
    return send(this.#agent).catch(resend).catch(resend);
  }
}

function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 400; tries += 1) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`still not after 20 s; the gateway said:\n${serving.log.slice(-3000)}`);
}
