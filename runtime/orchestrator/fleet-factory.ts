import { createHash } from "node:crypto";
import type { Logger } from "pino";
import type { ResolvedServer } from "../config/index.ts";
import { FleetError } from "../errors.ts";
import type { Bound } from "../observability/bounds.ts";
import type { FleetGauges, Metrics } from "../observability/metrics.ts";
import { outgoingFetch } from "../outgoing/outgoing-fetch.ts";
import { BatchConnector } from "../performance/batching/index.ts";
import { FleetPerformance, type SharedSpaceOptions } from "../performance/index.ts";
import type { Strategies } from "../registry/balancing/strategies.ts";
import { discoveriesOf } from "../registry/discovery/index.ts";
import { Fleet, type FleetOptions } from "../registry/fleet.ts";
import type { RemoteOptions } from "../registry/fleet-instances.ts";
import { progressReset } from "../registry/resilience/progress-reset.ts";
import type { IntegrityDesk } from "../security/integrity/index.ts";
import { headersOfLines, isPerCaller, type UpstreamCredentials } from "../upstreams/credentials/index.ts";
import { DuplexConnector } from "../upstreams/duplex-connector.ts";
import { FetchPool } from "../upstreams/fetch-pool.ts";
import type { GatewayIdentity } from "../upstreams/handshake.ts";
import { remoteConnector } from "../upstreams/remote-connector.ts";
import { openProcess } from "../upstreams/stdio-link.ts";
import type { Connector } from "../upstreams/upstream-session.ts";
import { UpstreamTls } from "../upstreams/upstream-tls.ts";
import type { ProcessLinks } from "../workers/process-link.ts";
import type { PackageCache } from "./package-cache.ts";
import { presets } from "./presets.ts";
import type { ProcessDriver } from "./process-driver.ts";
import { processSpecFor, sourceOf } from "./server-process.ts";

export interface FleetFactoryOptions {
  readonly driver: ProcessDriver;
  readonly packages: PackageCache;
  readonly identity: GatewayIdentity;
  /** Redis, when gateways share what they know. */
  readonly shared: Omit<SharedSpaceOptions, "onFailure" | "onForged" | "maxBytes"> | undefined;
  readonly integrity: IntegrityDesk;
  readonly strategies: Strategies;
  /** Other fleets, for `fallback`. */
  readonly fleetNamed: FleetOptions["fleetNamed"];
  readonly callerAttached: FleetOptions["callerAttached"];
  readonly giveUpParked: FleetOptions["giveUpParked"];
  readonly credentials: UpstreamCredentials;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly now: () => number;
  readonly random: () => number;
  readonly onListChanged: FleetOptions["onListChanged"];
  /** Seals ids of tasks towards clients. Defaults to none: other processes of the gateway do. */
  readonly taskIds?: FleetOptions["taskIds"];
  /** Where processes run, when not here. */
  readonly links?: ProcessLinks | undefined;
}

/** A server with what its preset says where the configuration is silent, and without its secrets. */
export function withPreset({ credentials, ...server }: ResolvedServer): FleetOptions["server"] {
  const preset = server.type === "custom" ? undefined : presets[server.type];
  const aliases = { ...preset?.aliases, ...server.tools.aliases };
  const version = server.version ?? preset?.version;
  return {
    ...server,
    ...(version === undefined ? {} : { version }),
    isolation: server.isolation ?? preset?.isolation ?? "session",
    ...(credentials === undefined ? {} : { perCaller: isPerCaller(credentials) }),
    tools: { ...server.tools, aliases },
  };
}

/** Makes fleets: chooses how their instances are reached. */
export class FleetFactory {
  readonly #options: FleetFactoryOptions;
  readonly #performances = new WeakMap<Fleet, FleetPerformance>();
  readonly #tls = new WeakMap<Fleet, UpstreamTls>();

  constructor(options: FleetFactoryOptions) {
    this.#options = options;
  }

  create(server: FleetOptions["server"]): Fleet {
    const { strategies, fleetNamed, callerAttached, giveUpParked, metrics, now, random, onListChanged, taskIds } =
      this.#options;
    const log = this.#options.log.child({ server: server.name });
    const remote = server.endpoints !== undefined || server.discovery !== undefined;
    const tls = server.tls && new UpstreamTls({ server: server.name, tls: server.tls, log });
    const performance = this.#performance(server);
    const integrity = this.#options.integrity.open(server);
    const fleet = new Fleet({
      server,
      log,
      metrics,
      now,
      random,
      fleetNamed,
      callerAttached,
      giveUpParked,
      taskIds,
      ...(remote ? { remote: this.#remote(server, tls, log) } : { connector: this.#processes(server) }),
      strategy: strategies.named(server.name, server.loadBalancer.strategy),
      stages: [integrity.stage, ...performance.stages, ...progressReset(server, now)],
      screen: (tools) => integrity.screen(tools),
      screenOwn: (tools) => integrity.permitted(tools),
      onListChanged: (changed, kind) => {
        performance.listChanged(kind);
        onListChanged(changed, kind);
      },
      onUpdated: (uri) => performance.updated(uri),
    });
    this.#performances.set(fleet, performance);
    if (tls !== undefined) this.#tls.set(fleet, tls);
    return fleet;
  }

  /** What the performance stages of a fleet that was made here have done, and when its certificate ends. */
  countsOf(fleet: Fleet): Pick<FleetGauges, "performance" | "certificateEnds"> {
    const performance = this.#performances.get(fleet)?.counts();
    return { performance, certificateEnds: this.#tls.get(fleet)?.expiry };
  }

  /** How near the bounds of such a fleet are. */
  boundsOf(fleet: Fleet): readonly Bound[] {
    return [...fleet.bounds(), ...(this.#performances.get(fleet)?.bounds() ?? [])];
  }

  #performance(server: FleetOptions["server"]): FleetPerformance {
    const { metrics, now, shared } = this.#options;
    const { name, isolation, cache, coalescing, queue, timeouts } = server;
    // Gateways share only what the very same server has answered.
    const prefix = `${shared?.prefix}:cache:${name}:${fingerprint(server)}`;
    return new FleetPerformance({
      ...{ fleet: name, isolation, cache, coalescing, queue, now, requestMs: timeouts.requestMs },
      shared: shared && { ...shared, prefix },
      onWaited: (priority, ms) => metrics.queued(name, priority, ms),
    });
  }

  #remote(server: FleetOptions["server"], tls: UpstreamTls | undefined, log: Logger): RemoteOptions {
    const { identity, now } = this.#options;
    const { name, protocol, timeouts, pool } = server;
    const credentials = this.#options.credentials.for(name);
    const ask = tls?.fetch ?? outgoingFetch;
    const common = { fleet: name, protocol, identity, connectMs: timeouts.connectMs, now, pool, credentials, tls };
    return {
      source: sourceOf(server),
      discoveries: discoveriesOf(server, log),
      ...(credentials === undefined || credentials.perCaller
        ? {}
        : { credentials: async (url: URL) => headersOfLines(await credentials.linesFor(url, undefined)) }),
      connect: (address) => this.#batched(server, address, remoteConnector({ ...common, address }), tls),
      ask,
    };
  }

  #batched(
    { name, batching, timeouts }: FleetOptions["server"],
    url: string,
    inner: Connector,
    tls: UpstreamTls | undefined,
  ): Connector {
    if (batching === undefined) return inner;
    const { identity, now, metrics } = this.#options;
    return new BatchConnector({
      ...{
        ...batching,
        fleet: name,
        url,
        path: batching.path,
        identity,
        connectMs: timeouts.connectMs,
        now,
        inner,
        connections: tls ?? new FetchPool(),
      },
      onBatch: (size) => metrics.batchSent(name, size),
    });
  }

  #processes(server: FleetOptions["server"]): Connector {
    const { driver, packages, identity, log, now, links } = this.#options;
    const { name, timeouts } = server;
    const source = sourceOf(server);
    if (links !== undefined) {
      return new DuplexConnector({
        ...{ fleet: name, source, identity, connectMs: timeouts.connectMs, now, sessionEra: true },
        open: (receive) => links.open(name, receive),
        failure: (why, cause) => new FleetError("INSTANCE_START_FAILED", why, { cause }),
      });
    }
    return new DuplexConnector({
      ...{ fleet: name, source, identity, connectMs: timeouts.connectMs, now },
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
}

/** Which server it is: what runs, or where. */
function fingerprint({ type, version, process, endpoints, discovery }: FleetOptions["server"]): string {
  const text = JSON.stringify([type, version, process, endpoints, discovery]);
  return createHash("sha256").update(text).digest("base64url").slice(0, 16);
}
