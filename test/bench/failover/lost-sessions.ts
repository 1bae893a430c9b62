import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { FaultInstance } from "../../support/fault-instance.ts";
import { Serving } from "../../support/serving.ts";
import { PlainClient } from "../../support/steady-load.ts";

/** What old client sessions noticed of a restart of their server. */
export interface LostSessions {
  readonly sessions: number;
  readonly failedFirstCalls: number;
  readonly medianMs: number;
  readonly worstMs: number;
}

/** A server that is killed and comes back after 2 s without its sessions; then the first call of each old client session. */
export async function lostSessions(): Promise<LostSessions> {
  const only = await FaultInstance.start();
  const gateway = await Serving.start({
    servers: { echo: { type: "custom", isolation: "session", endpoints: [only.url] } },
  });
  const clients = await Promise.all(Array.from({ length: 50 }, () => PlainClient.open(`${gateway.url}/mcp/echo`)));
  await Promise.all(clients.map((client) => client.call("write")));
  await only.kill();
  await sleep(2000);
  await only.back();
  const times: number[] = [];
  let failed = 0;
  for (const client of clients) {
    const began = performance.now();
    await client.call("write").catch(() => (failed += 1));
    times.push(performance.now() - began);
  }
  await gateway.stop();
  await only.kill();
  times.sort((a, b) => a - b);
  const at = (share: number) => Math.round((times[Math.floor(times.length * share)] as number) * 10) / 10;
  return { sessions: clients.length, failedFirstCalls: failed, medianMs: at(0.5), worstMs: at(0.99) };
}
