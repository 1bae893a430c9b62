import type { Logger } from "pino";
import type { ResolvedServer } from "../config/index.ts";
import type { Metrics } from "../observability/metrics.ts";
import { Fleet, type FleetOptions } from "../registry/fleet.ts";
import type { GatewayIdentity } from "../upstreams/handshake.ts";
import { HttpConnector } from "../upstreams/http-connector.ts";
import { StdioConnector } from "../upstreams/stdio-connector.ts";
import type { Connector } from "../upstreams/upstream-session.ts";
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

  constructor(options: FleetFactoryOptions) {
    this.#options = options;
  }

  create(server: FleetOptions["server"]): Fleet {
    const { log, metrics, now, onListChanged } = this.#options;
    return new Fleet({
      server,
      connector: this.#connector(server),
      log: log.child({ server: server.name }),
      metrics,
      now,
      onListChanged,
    });
  }

  #connector(server: FleetOptions["server"]): Connector {
    const { driver, packages, identity, log, now } = this.#options;
    const { connectMs } = server.timeouts;
    if (server.endpoints !== undefined) {
      return new HttpConnector({ fleet: server.name, endpoints: server.endpoints, identity, connectMs, now });
    }
    return new StdioConnector({
      fleet: server.name,
      source: sourceOf(server),
      identity,
      driver,
      connectMs,
      now,
      spec: () => processSpecFor(server, packages, (line) => log.info({ server: server.name }, line)),
    });
  }
}
