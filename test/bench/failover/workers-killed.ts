import { setTimeout as sleep } from "node:timers/promises";
import type { WorkerStatus } from "../../../runtime/workers/index.ts";
import { FaultInstance } from "../../support/fault-instance.ts";
import { Serving } from "../../support/serving.ts";
import { type LoadFigures, SteadyLoad } from "../../support/steady-load.ts";

/** What callers noticed while workers were killed. */
export interface WorkersKilled extends LoadFigures {
  readonly kills: number;
}

/** Two workers, each killed in turn; callers send a call again only when its connection broke, as HTTP clients do. */
export async function workersKilled(): Promise<WorkersKilled> {
  const server = await FaultInstance.start();
  const gateway = await Serving.start(
    {
      gateway: { workers: 2 },
      servers: { echo: { type: "custom", isolation: "shared", endpoints: [server.url] } },
    },
    "workers serve",
  );
  const load = await SteadyLoad.start({
    ...{ url: `${gateway.url}/mcp/echo`, callers: 16, pauseMs: 10, tool: "read", again: true },
  });
  await sleep(1000);
  // Each worker serves for longer than ten seconds, after which its end is answered with a start at once.
  const kills = 6;
  for (let kill = 0; kill < kills; kill += 1) {
    const { workers } = await gateway.status();
    process.kill((workers.find(({ slot }) => slot === kill % 2) as WorkerStatus).pid, "SIGKILL");
    await sleep(6000);
  }
  const figures = await load.stop();
  await gateway.stop();
  await server.kill();
  return { kills, ...figures };
}
