import type { Logger } from "pino";
import type { ResolvedServer } from "../config/index.ts";
import { FleetError, messageOf } from "../errors.ts";
import type { Metrics } from "../observability/metrics.ts";
import { FleetPerformance, type PerformanceCounts } from "../performance/index.ts";
import { Fleet, type FleetOptions } from "../registry/fleet.ts";
import { DuplexConnector } from "../upstreams/duplex-connector.ts";
import type { GatewayIdentity } from "../upstreams/handshake.ts";
import { HttpConnector } from "../upstreams/http-connector.ts";
import { openSse } from "../upstreams/sse-link.ts";
import { openProcess } from "../upstreams/stdio-link.ts";
import { openTcp } from "../upstreams/tcp-link.ts";
import type { Connector } from "../upstreams/upstream-session.ts";
import { openWebSocket } from "../upstreams/web-socket-link.ts";
import type { PackageCache } from "./package-cache.ts";
import { presets } from "./presets.ts";
import type { ProcessDriver } from "./process-driver.ts";
import { processSpecFor, sourceOf } from "./server-process.ts";

export interface FleetFactoryOptions {
  readonly driver: ProcessDriver;
  readonly packages: PackageCache;
  readonly identity: GatewayIdentity;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly now: () => number;
  readonly onListChanged: FleetOptions["onListChanged"];
}

/** A server with what its preset says where the configuration is silent. */
export function withPreset(server: ResolvedServer): FleetOptions["server"] {
  const preset = server.type === "custom" ? undefined : presets[server.type];
  const aliases = { ...preset?.aliases, ...server.tools.aliases };
  const version = server.version ?? preset?.version;
  return {
    ...server,
    ...(version === undefined ? {} : { version }),
    isolation: server.isolation ?? preset?.isolation ?? "session",
    tools: { ...server.tools, aliases },
  };
}

/** Makes fleets: chooses how their instances are reached. */
export class FleetFactory {
  readonly #options: FleetFactoryOptions;
  readonly #performances = new WeakMap<Fleet, FleetPerformance>();

  constructor(options: FleetFactoryOptions) {
    this.#options = options;
  }

  create(server: FleetOptions["server"]): Fleet {
    const { log, metrics, now, onListChanged } = this.#options;
    const performance = this.#performance(server);
    const fleet = new Fleet({
      server,
      connector: this.#connector(server),
      log: log.child({ server: server.name }),
      metrics,
      now,
      stages: performance.stages,
      onListChanged: (changed, kind) => {
        performance.listChanged(kind);
        onListChanged(changed, kind);
      },
      onUpdated: (uri) => performance.updated(uri),
    });
    this.#performances.set(fleet, performance);
    return fleet;
  }

  /** What the performance stages of a fleet that was made here have done. */
  countsOf(fleet: Fleet): PerformanceCounts | undefined {
    return this.#performances.get(fleet)?.counts();
  }

  #performance({ name, isolation, cache, coalescing, queue, timeouts }: FleetOptions["server"]): FleetPerformance {
    const { metrics, now } = this.#options;
    return new FleetPerformance({
      ...{ fleet: name, isolation, cache, coalescing, queue, now, requestMs: timeouts.requestMs, shared: undefined },
      onWaited: (priority, ms) => metrics.queued(name, priority, ms),
    });
  }

  #connector(server: FleetOptions["server"]): Connector {
    const { driver, packages, identity, log, now } = this.#options;
    const { name, endpoints, protocol, timeouts } = server;
    const { connectMs } = timeouts;
    if (endpoints === undefined) {
      const source = sourceOf(server);
      return new DuplexConnector({
        ...{ fleet: name, source, identity, connectMs, now },
        open: async (receive) => {
          const spec = await processSpecFor(server, packages, (line) => log.info({ server: name }, line));
          return openProcess(driver, spec, receive);
        },
        failure: (why, cause) => {
          const fix = "run the command by hand to see what it lacks";
          const text = `${name}: the server process (${source}) did not start: ${why}; ${fix}`;
          return new FleetError("INSTANCE_START_FAILED", text, { cause });
        },
      });
    }
    if (protocol === "http") return new HttpConnector({ fleet: name, endpoints, identity, connectMs, now });
    const open = { ws: openWebSocket, tcp: openTcp, sse: openSse }[protocol as "ws" | "tcp" | "sse"];
    let turn = 0;
    let url = new URL(endpoints[0] as string);
    const failure = (why: string, cause: unknown) => {
      const text = `${name}: ${url.href} cannot be reached (${why}); is the server up?`;
      return new FleetError("UPSTREAM_UNREACHABLE", text, { cause });
    };
    return new DuplexConnector({
      ...{ fleet: name, source: endpoints.join(", "), identity, connectMs, now, failure },
      open: (receive) => {
        url = new URL(endpoints[turn % endpoints.length] as string);
        turn += 1;
        return open(url, connectMs, receive).catch((error) => Promise.reject(failure(messageOf(error), error)));
      },
    });
  }
}
