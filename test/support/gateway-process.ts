import { setTimeout as pause } from "node:timers/promises";
import { resolveConfig } from "../../runtime/config/index.ts";
import { startGateway } from "../../runtime/gateway.ts";

// The gateway of a long run, as a process of its own. Answers by IPC: `memory` after a garbage collection, `status`, and
// `close`, after which it says what keeps the process alive.
const config = JSON.parse(process.argv[2] as string);
const gateway = await startGateway({ config: resolveConfig(config), stateDirectory: process.argv[3] });

async function memory() {
  for (let round = 0; round < 3; round += 1) {
    await new Promise(setImmediate);
    globalThis.gc?.();
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  return { rssMb: Math.round(rss / 1e6), heldMb: Math.round((heapUsed + external) / 1e6) };
}

const answers: Record<string, () => unknown> = {
  memory,
  status: () => gateway.status(),
  async close() {
    await gateway.close();
    // Sockets are closed a turn or two later.
    await pause(200);
    // The channel to the parent stays.
    return { left: process.getActiveResourcesInfo().filter((kind) => kind !== "PipeWrap") };
  },
};
process.on("message", async ({ ask }: { ask: string }) => process.send?.(await answers[ask]?.()));
process.on("disconnect", () => process.exit(0));
process.send?.({ url: gateway.url });
