import { join } from "node:path";
import { afterEach, expect, test } from "@jest/globals";
import type { Server } from "../../runtime/config/schema/index.ts";
import { TestGateway } from "../support/gateway.ts";
import { PlainClient } from "../support/steady-load.ts";

const fixture = join(import.meta.dirname, "../fixtures/blocking-server.mjs");
/** Checks that restart an idle process within half a second. */
const healthCheck = { intervalMs: 100, timeoutMs: 50, restartAfter: 3 };

let gateway: TestGateway;
afterEach(() => gateway.close());

async function start(more: Partial<Server> = {}, env: Record<string, string> = {}): Promise<void> {
  gateway = await TestGateway.start({
    servers: {
      busy: {
        ...{ type: "custom", isolation: "shared", healthCheck },
        process: { command: process.execPath, args: [fixture], env },
        ...more,
      },
    },
  });
}
const open = () => PlainClient.open(`${gateway.url}/mcp/busy`);
const restarts = () => gateway.gateway.status().servers[0]?.restarts;
async function restarted(): Promise<void> {
  while (restarts() === 0) await new Promise((resolve) => setTimeout(resolve, 20));
}

test("a tool that blocks its server for longer than its checks bear is answered, and so are the calls beside it", async () => {
  await start();
  const [one, other] = await Promise.all([open(), open()]);
  const { pid } = await one.call("quick");
  const slow = one.call("block", { ms: 2000 });
  const beside = other.call("quick");
  expect([(await slow).pid, (await beside).pid, restarts()]).toEqual([pid, pid, 0]);
});

test("a tool that goes on after its client has gone does not cost the other clients their server", async () => {
  await start();
  const [gone, other] = await Promise.all([open(), open()]);
  const { pid } = await other.call("quick");
  await expect(gone.call("block", { ms: 2000 }, AbortSignal.timeout(100))).rejects.toThrow();
  expect([(await other.call("quick")).pid, restarts()]).toEqual([pid, 0]);
});

test("a server that never answers a ping keeps running, in use and at rest", async () => {
  await start({}, { NO_PING: "1" });
  const client = await open();
  const first = await client.call("quick");
  let last = first;
  while ((last.pings as number) < 12) last = await client.call("quick");
  while ((last.pings as number) < 24) {
    await new Promise((resolve) => setTimeout(resolve, 300));
    last = await client.call("quick");
  }
  expect([last.pid, restarts()]).toEqual([first.pid, 0]);
  expect(gateway.gateway.status().servers[0]?.health).toBe("ready");
});

test("a process that answers nothing past every deadline is started anew, also while calls go on coming", async () => {
  await start({ timeouts: { requestMs: 500 }, circuitBreaker: { enabled: false } });
  const clients = await Promise.all(Array.from({ length: 4 }, open));
  const { pid } = await (clients[0] as PlainClient).call("quick");
  process.kill(pid as number, "SIGSTOP");
  let over = false;
  const load = clients.map(async (client) => {
    while (!over) await client.call("quick").catch(() => {});
  });
  await restarted();
  over = true;
  await Promise.all(load);
  const after = await (clients[0] as PlainClient).call("quick");
  expect(after.pid).not.toBe(pid);
});

test("the same when its clients give up before the gateway does", async () => {
  await start({ timeouts: { requestMs: 500 }, circuitBreaker: { enabled: false } });
  const client = await open();
  const { pid } = await client.call("quick");
  process.kill(pid as number, "SIGSTOP");
  while (restarts() === 0) await client.call("quick", {}, AbortSignal.timeout(100)).catch(() => {});
  expect((await client.call("quick")).pid).not.toBe(pid);
});

test("an owner whose own process hangs past its deadlines gets another one", async () => {
  // Long enough for a process to start on a busy machine: a call that waits in vain asks for another one.
  await start({ isolation: "session", timeouts: { requestMs: 2000 } });
  const [client, other] = await Promise.all([open(), open()]);
  const [{ pid }, beside] = [await client.call("quick"), await other.call("quick")];
  process.kill(pid as number, "SIGSTOP");
  let answer: Record<string, unknown> | undefined;
  while (answer === undefined) answer = await client.call("quick").catch(() => undefined);
  expect([answer.pid !== pid, (await other.call("quick")).pid]).toEqual([true, beside.pid]);
});
