import { connect, type Socket } from "node:net";
import fc from "fast-check";
import { Pool } from "undici";
import { statefulServer, TestGateway } from "../support/gateway.ts";
import { hostileMessage, hostileRequest } from "./hostile.ts";

/** What a run came to. */
export interface FuzzOutcome {
  /** Messages sent. */
  readonly sent: number;
  /** Answers by HTTP status. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Messages that came back over TCP. */
  readonly overTcp: number;
  /** Whatever must not happen, with what caused it; the first few. */
  readonly wrong: readonly string[];
  /** Megabytes of heap after the run, garbage collected if the process allows it. */
  readonly heapMb: number;
}

const allowed = new Set([200, 202, 204, 400, 403, 404, 405, 406, 413, 415]);
const batch = 250;
const patienceMs = 10_000;
const initialize = {
  ...{ jsonrpc: "2.0", id: 0, method: "initialize" },
  params: { protocolVersion: "2025-11-25", capabilities: {} },
};

/** Sends hostile messages to a gateway of its own, over HTTP and TCP; a bystander's session must not notice. */
export async function fuzz(messages: number, seed: number, log: (line: string) => void): Promise<FuzzOutcome> {
  const gateway = await TestGateway.start({
    gateway: { listeners: { tcp: { port: 0 } }, session: { maxSessions: 500 } },
    servers: { stateful: statefulServer({ isolation: "shared", tools: { deny: ["crash", "slow"] } }) },
  });
  const bystander = await gateway.connect("/mcp/stateful");
  const pool = new Pool(gateway.url, { connections: 16, headersTimeout: patienceMs, bodyTimeout: patienceMs });
  const statuses: Record<string, number> = {};
  const wrong: string[] = [];
  const note = (problem: string, cause: unknown) => {
    if (wrong.length < 10) wrong.push(`${problem}: ${JSON.stringify(cause).slice(0, 4000)}`);
  };
  let sent = 0;
  let overTcp = 0;
  try {
    for (let round = 0; sent < messages; round += 1) {
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
          if (answer.text.includes("Internal error")) note(answer.text, request.body.toString());
        }),
      );
      overTcp += await overConnection(gateway.gateway.tcpPort as number, seed + round, note);
      sent += 2 * batch;
      const { content } = await bystander.callTool({ name: "count", arguments: {} });
      if (!JSON.stringify(content).includes("count")) note("the bystander's call failed", content);
      if (sent % 50_000 === 0) log(`${sent} messages, heap ${heapMb()} MB`);
    }
    return { sent, statuses, overTcp, wrong, heapMb: heapMb() };
  } finally {
    await pool.destroy();
    await gateway.close();
  }
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

/** One connection with a batch of messages; it must answer a ping after all of them. */
async function overConnection(
  port: number,
  seed: number,
  note: (problem: string, cause: unknown) => void,
): Promise<number> {
  const socket: Socket = connect(port, "127.0.0.1");
  let received = "";
  const done = new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, patienceMs);
    socket.on("data", (chunk) => {
      received += chunk;
      if (!received.includes('"id":"the end"')) return;
      clearTimeout(timer);
      resolve();
    });
    socket.on("close", resolve);
    socket.on("error", resolve);
  });
  for (const message of fc.sample(hostileMessage, { numRuns: batch, seed })) {
    socket.write(Buffer.concat([message, Buffer.from("\n")]));
  }
  socket.write('{"jsonrpc":"2.0","id":"the end","method":"ping"}\n');
  await done;
  socket.destroy();
  if (!received.includes('"id":"the end"')) note("a TCP connection did not live to the end", { seed });
  if (received.includes("Internal error")) note("an internal error over TCP", { seed });
  return received.split("\n").length - 1;
}
