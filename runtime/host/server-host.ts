import { performance } from "node:perf_hooks";
import { Isolation } from "../config/schema/index.ts";
import { type RunningGateway, startGateway } from "../gateway.ts";
import { startLog } from "../observability/logger.ts";
import { withPreset } from "../orchestrator/fleet-factory.ts";
import type { Fleet } from "../registry/fleet.ts";
import { answerBatch } from "./batch.ts";
import { LoadMeter } from "./load-meter.ts";
import { hostOperations } from "./operations.ts";
import type { HostConfig } from "./settings.ts";

/** How often the load is measured. */
const sampleMs = 1000;

/**
 * One MCP server as a network server: a gateway whose `/mcp` is that server by its own names, with `/load` and
 * `POST /batch` beside what every gateway has.
 */
export async function startHost({ name, config, secrets, loadLogMs }: HostConfig): Promise<RunningGateway> {
  const meter = new LoadMeter({ now: () => performance.now() });
  const gateway = await startGateway(
    { config, secrets },
    {
      only: name,
      // All clients of all gateways are one caller here: only their sessions tell them apart.
      sessionsForGateways: config.servers.map(withPreset).some(({ isolation }) => isolation !== Isolation.Shared),
      routes: {
        paths: hostOperations,
        add(app, { registry, metrics, callerOf }) {
          app.get("/load", async () => {
            const fleet = registry.get(name);
            const { inFlight = 0, waiting = 0 } = fleet?.status() ?? {};
            const leases = fleet?.instances.source.leases;
            return { ...meter.load, inFlight, waiting, ...(leases === undefined ? {} : { leases }) };
          });
          app.post("/batch", async ({ body, raw }, reply) => {
            const answers = await answerBatch(registry.get(name) as Fleet, body, callerOf(raw));
            metrics.bodyReceived((body as unknown[]).length);
            return answers.length === 0 ? reply.status(202).send() : answers;
          });
        },
      },
    },
  );
  const sampling = setInterval(() => meter.sample(), sampleMs).unref();
  const telling = loadLogMs === undefined ? undefined : tellLoad(loadLogMs);
  return {
    ...gateway,
    async close() {
      clearInterval(sampling);
      await telling?.();
      await gateway.close();
    },
  };

  /** Writes the load to the log now and then; the returned function ends that. */
  function tellLoad(everyMs: number): () => Promise<void> {
    const { log, close } = startLog(config.gateway.log, () => secrets);
    const timer = setInterval(() => {
      const { inFlight = 0, waiting = 0 } = gateway.status().servers[0] ?? {};
      log.info({ ...meter.load, inFlight, waiting }, "load");
    }, everyMs).unref();
    return () => {
      clearInterval(timer);
      return close();
    };
  }
}
