import { join } from "node:path";
import fc from "fast-check";
import { Pool } from "undici";
import { say, statefulServer, TestGateway } from "../support/gateway.ts";
import { bareConnections, overTcp, overWebSocket } from "./connections.ts";
import { hostileConnection, hostileMessage, hostileRequest } from "./hostile.ts";

/** What a run came to. */
export interface FuzzOutcome {
  /** Messages sent. */
  readonly sent: number;
  /** Answers by HTTP status. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Messages that came back over TCP. */
  readonly overTcp: number;
  /** Messages that came back over WebSocket. */
  readonly overWebSocket: number;
  /** HTTP connections that were half closed, reset or left in the middle of a request. */
  readonly broken: number;
  /** Calls that are in flight or wait when all is over. */
  readonly left: number;
  /** Whatever must not happen, with what caused it; the first few. */
  readonly wrong: readonly string[];
  /** Megabytes of heap after the run, garbage collected if the process allows it. */
  readonly heapMb: number;
}

const light = join(import.meta.dirname, "../fixtures/light-server.mjs");
const allowed = new Set([200, 202, 204, 400, 403, 404, 405, 406, 413, 415]);
const batch = 250;
/** Bare connections of one round. */
const bare = 20;
const patienceMs = 10_000;
const initialize = {
  ...{ jsonrpc: "2.0", id: 0, method: "initialize" },
  params: { protocolVersion: "2025-11-25", capabilities: {} },
};

/**
 * Sends hostile messages to a gateway of its own, over HTTP, TCP and WebSocket, and leaves connections in the middle of a
 * request. A bystander's sessions must not notice, and nobody else may ever read what belongs to them.
 */
export async function fuzz(messages: number, seed: number, log: (line: string) => void): Promise<FuzzOutcome> {
  const gateway = await TestGateway.start({
    gateway: { listeners: { tcp: { port: 0 } }, session: { maxSessions: 500 } },
    servers: {
      stateful: statefulServer({ isolation: "shared", tools: { deny: ["crash", "slow"] } }),
      private: {
        ...{ type: "custom", isolation: "session", process: { command: process.execPath, args: [light] } },
        ...{ scaling: { minInstances: 0, maxInstances: 3 }, timeouts: { connectMs: 2000 } },
      },
    },
  });
  const bystander = await gateway.connect("/mcp/stateful");
  const owner = await gateway.connect("/mcp/private");
  const secret = `"pid\\":${((await say(owner, "count")) as { pid: number }).pid}`;
  const pool = new Pool(gateway.url, { connections: 16, headersTimeout: patienceMs, bodyTimeout: patienceMs });
  const statuses: Record<string, number> = {};
  const wrong: string[] = [];
  const note = (problem: string, cause: unknown) => {
    if (wrong.length < 10) wrong.push(`${problem}: ${JSON.stringify(cause).slice(0, 4000)}`);
  };
  const see = (text: string, cause: unknown) => {
    if (text.includes("Internal error")) note(text, cause);
    if (text.includes(secret)) note("another session's data", cause);
  };
  const totals = { sent: 0, overTcp: 0, overWebSocket: 0, broken: 0 };
  let counted = 1;
  try {
    for (let round = 0; totals.sent < messages; round += 1) {
      const session = await openSession(pool);
      const requests = fc.sample(hostileRequest, { numRuns: batch, seed: seed + round });
      await Promise.all(
        requests.map(async (request) => {
          const headers: Record<string, string | undefined> = { ...request.headers };
          if (headers["mcp-session-id"] === "$session") headers["mcp-session-id"] = session;
          const answer = await ask(pool, { ...request, headers }).catch((error) => String(error));
          if (typeof answer === "string") return note(answer, { ...request, body: request.body.toString() });
          statuses[answer.status] = (statuses[answer.status] ?? 0) + 1;
          if (!allowed.has(answer.status)) note(`HTTP ${answer.status} ${answer.text}`, request.body.toString());
          see(answer.text, request.body.toString());
        }),
      );
      const messages = (half: number) => fc.sample(hostileMessage, { numRuns: batch / 2, seed: seed + round + half });
      const connections = fc.sample(hostileConnection, { numRuns: bare, seed: seed + round });
      const [tcp, webSocket, broken] = await Promise.all([
        overTcp(gateway.gateway.tcpPort as number, messages(0), see, note),
        overWebSocket(`${gateway.url.replace("http", "ws")}/ws`, messages(0.5), see, note),
        bareConnections(Number(new URL(gateway.url).port), connections, see, note),
      ]);
      totals.overTcp += tcp;
      totals.overWebSocket += webSocket;
      totals.broken += broken;
      totals.sent += 2 * batch;
      const { content } = await bystander.callTool({ name: "count", arguments: {} });
      if (!JSON.stringify(content).includes("count")) note("the bystander's call failed", content);
      counted += 1;
      const { count } = (await say(owner, "count")) as { count: number };
      if (count !== counted) note("somebody else has counted", { count, counted });
      if (totals.sent % 50_000 === 0) log(`${totals.sent} messages, heap ${heapMb()} MB`);
    }
    await pool.destroy();
    return { ...totals, statuses, wrong, heapMb: heapMb(), left: await leftOf(gateway) };
  } finally {
    await pool.destroy();
    await gateway.close();
  }
}

/** Calls that nobody waits for any more end soon. */
async function leftOf(gateway: TestGateway): Promise<number> {
  const calls = () =>
    gateway.gateway.status().servers.reduce((sum, { inFlight, waiting }) => sum + inFlight + waiting, 0);
  for (let tries = 0; calls() > 0 && tries < 100; tries += 1) await new Promise((done) => setTimeout(done, 50));
  return calls();
}

function heapMb(): number {
  globalThis.gc?.();
  return Math.round(process.memoryUsage().heapUsed / 1e6);
}

async function openSession(pool: Pool): Promise<string> {
  const headers = { "content-type": "application/json", accept: "application/json" };
  const options = { path: "/mcp", method: "POST", headers, body: JSON.stringify(initialize) } as const;
  const { headers: answered, body } = await pool.request(options);
  await body.dump();
  return answered["mcp-session-id"] as string;
}

interface HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
}

/** Event streams that stay open are left after their first message. */
async function ask(pool: Pool, request: HttpRequest): Promise<{ readonly status: number; readonly text: string }> {
  const { statusCode: status, headers, body } = await pool.request({ ...request, method: request.method as "POST" });
  if (String(headers["content-type"]).startsWith("text/event-stream")) {
    body.on("error", () => {});
    body.destroy();
    return { status, text: "" };
  }
  return { status, text: await body.text() };
}
