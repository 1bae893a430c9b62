import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "@jest/globals";
import type { Client } from "@modelcontextprotocol/client";
import { say, TestGateway } from "../support/gateway.ts";

const script = join(import.meta.dirname, "../fixtures/light-server.mjs");
const sessions = 500;
const processes = 10;
let gateway: TestGateway;
afterEach(() => gateway.close());

/** Processes of the fixture that this process has started. */
function running(): number {
  return readdirSync("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const parent = / \S (\d+) /.exec(readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\)/, "x )"))?.[1];
      return parent === String(process.pid) && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(script);
    } catch {
      return false;
    }
  }).length;
}

test(`${sessions} sessions churn over ${processes} processes: never more, none meets another's state, none is left`, async () => {
  gateway = await TestGateway.start({
    servers: {
      light: {
        ...{ type: "custom", isolation: "session", scaling: { minInstances: 2, maxInstances: processes } },
        process: { command: process.execPath, args: [script] },
      },
    },
  });
  let most = 0;
  let queued = 0;
  const refused: unknown[] = [];
  const session = async () => {
    let client: Client | undefined;
    try {
      client = await gateway.connect("/mcp/light");
      const first = (await say(client, "count")) as { count: number; pid: number };
      const second = (await say(client, "count")) as { count: number; pid: number };
      expect([first.count, second.count, second.pid]).toEqual([1, 2, first.pid]);
      most = Math.max(most, running());
      queued = Math.max(queued, gateway.gateway.status().servers[0]?.waiting ?? 0);
    } catch (error) {
      refused.push(error);
    } finally {
      await (client?.transport as { terminateSession?(): Promise<void> } | undefined)?.terminateSession?.();
    }
  };
  // Twenty callers at a time for ten processes: half of them queue.
  let next = 0;
  const caller = async () => {
    while (next < sessions) {
      next += 1;
      await session();
    }
  };
  await Promise.all(Array.from({ length: 2 * processes }, caller));
  expect(refused).toEqual([]);
  expect([most <= processes, most > processes / 2, queued > 0]).toEqual([true, true, true]);
  for (let tries = 0; running() > 2 && tries < 100; tries += 1) await new Promise((done) => setTimeout(done, 50));
  expect(gateway.gateway.status().servers[0]).toMatchObject({ instances: { total: 2 }, inFlight: 0, waiting: 0 });
  expect(running()).toBe(2);
  // Five hundred processes start: half a minute on a quiet machine of two cores.
}, 240_000);

test("past the queue's bound a session is refused at once, and told that it may come again", async () => {
  gateway = await TestGateway.start({
    servers: {
      light: {
        ...{ type: "custom", isolation: "session", scaling: { minInstances: 0, maxInstances: 1 } },
        ...{ timeouts: { connectMs: 60_000 }, process: { command: process.execPath, args: [script] } },
      },
    },
  });
  const holder = await gateway.connect("/mcp/light");
  await say(holder, "count");
  const clients = await Promise.all(Array.from({ length: 5 }, () => gateway.connect("/mcp/light")));
  const waiting = clients.slice(0, 4).map((client) => say(client, "count").catch((error) => error.message));
  while ((gateway.gateway.status().servers[0]?.waiting ?? 0) < 4) await new Promise((done) => setTimeout(done, 5));
  const error = (await say(clients[4] as Client, "count").catch((thrown) => thrown)) as { data: unknown };
  expect(error.data).toMatchObject({ code: "POOL_EXHAUSTED", retryable: true });
  await gateway.stop();
  expect(new Set(await Promise.all(waiting)).size).toBe(1);
});
