import type { Server as HttpsServer } from "node:https";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import type { ResolvedConfig } from "./config/index.ts";
import { needRestart } from "./config/live-settings.ts";
import { AdminListener, type AdminOperation } from "./listeners/admin.ts";
import { FrontDoor } from "./listeners/front-door.ts";
import { hostInUrl } from "./listeners/host-in-url.ts";
import { InstanceAdmin } from "./listeners/instance-admin.ts";
import { LegacySse } from "./listeners/legacy-sse.ts";
import { ModernCalls } from "./listeners/modern-calls.ts";
import { ModernHttp } from "./listeners/modern-http.ts";
import { createRest, type MoreRoutes } from "./listeners/rest.ts";
import { SessionCalls } from "./listeners/session-calls.ts";
import { StreamableHttp } from "./listeners/streamable-http.ts";
import { Subscriptions } from "./listeners/subscriptions.ts";
import { TcpListener } from "./listeners/tcp.ts";
import { WebSocketListener } from "./listeners/web-socket.ts";
import { gaugesOf } from "./observability/fleet-gauges.ts";
import { holdGatewayBounds } from "./observability/gateway-bounds.ts";
import { HeapTrimmer } from "./observability/heap-trimmer.ts";
import { type RunningLog, startLog } from "./observability/logger.ts";
import { Metrics } from "./observability/metrics.ts";
import { MetricsLog } from "./observability/metrics-log.ts";
import { SecurityMetrics } from "./observability/security-metrics.ts";
import { FleetFactory, withPreset } from "./orchestrator/fleet-factory.ts";
import { PackageCache } from "./orchestrator/package-cache.ts";
import { ProcessDriver } from "./orchestrator/process-driver.ts";
import { Redis } from "./performance/index.ts";
import { encodeNotification } from "./protocol/json-rpc.ts";
import { ParkedCalls } from "./protocol/parked-calls.ts";
import { SessionSealer } from "./protocol/sealed-session.ts";
import { Sealer } from "./protocol/sealer.ts";
import { sessionKeys } from "./protocol/session-keys.ts";
import { SessionTable } from "./protocol/session-table.ts";
import { Strategies } from "./registry/balancing/strategies.ts";
import type { FleetStatus } from "./registry/fleet.ts";
import type { InstanceStatus } from "./registry/fleet-instances.ts";
import { FleetRegistry } from "./registry/fleet-registry.ts";
import { Readiness } from "./registry/readiness.ts";
import { Executor } from "./routing/executor.ts";
import { FederatedService } from "./routing/federated-service.ts";
import { ListChangeNotices } from "./routing/list-change-notices.ts";
import type { ServiceClient } from "./routing/mcp-service.ts";
import { SingleService } from "./routing/single-service.ts";
import { ToolSearchService } from "./routing/tool-search-service.ts";
import {
  AuditLog,
  certificateExpiry,
  followTls,
  localPrincipal,
  openAccess,
  Proxies,
  Security,
  tlsOptions,
} from "./security/index.ts";
import { IntegrityDesk } from "./security/integrity/index.ts";
import { sealingPurpose, TokenStore, UpstreamCredentials } from "./upstreams/credentials/index.ts";
import { identity } from "./version.ts";
import { ForwardedPrincipals } from "./workers/forwarded-principal.ts";
import { Forwarder } from "./workers/forwarder.ts";
import { InternalListener } from "./workers/internal-listener.ts";
import { connectionBound, readLimits, sessionBound } from "./workers/limits.ts";
import { fleetAt, hasFleet, isRemote, ownMetric, type Place, supervisorSlot } from "./workers/place.ts";
import { ProcessHost } from "./workers/process-host.ts";
import { ProcessLinks } from "./workers/process-link.ts";
import { Siblings } from "./workers/siblings.ts";

export interface GatewayOptions {
  readonly config: ResolvedConfig;
  /** Resolved secrets, kept out of the logs. */
  readonly secrets?: readonly string[];
  /** Keeps the session key and the records of running processes; without it both last as long as the process. */
  readonly stateDirectory?: string | undefined;
  /** Load balancing strategies besides the gateway's own. */
  readonly strategies?: Strategies;
  /** Reads the configuration again, for `POST /reload` of the admin listener. */
  readonly reload?: () => Promise<void>;
  /** The admin listener was asked to end the process. */
  readonly onShutdown?: () => void;
  /** Its place among the processes that share its port. Defaults to being the only one. */
  readonly place?: Place;
  /** Descriptor of a socket that listens already, in place of `host` and `port`. */
  readonly socket?: number | undefined;
  /** Where lines go. Defaults to what the configuration says. */
  readonly log?: RunningLog;
}

/** What makes a gateway smaller or larger than its configuration says. */
export interface GatewayShape {
  /** Without a port, programs call its executor. Defaults to true. */
  readonly listen?: boolean;
  /** `/mcp` is this server, by its own names. Defaults to all servers. */
  readonly only?: string;
  /** Other gateways open a session for each of their clients, also where they could do without. Defaults to false. */
  readonly sessionsForGateways?: boolean;
  /** Paths beside those of every gateway. Defaults to none. */
  readonly routes?: MoreRoutes;
}

/** A gateway as operators see it. */
export interface GatewayStatus {
  readonly pid: number;
  readonly startedAt: string;
  /** `http://127.0.0.1:8080`; undefined when it does not listen. */
  readonly url: string | undefined;
  /** As `/ready` says it. */
  readonly ready: boolean;
  readonly servers: readonly FleetStatus[];
}

/** A gateway at work. */
export interface RunningGateway {
  readonly url: string | undefined;
  /** Port of the TCP listener; undefined without one. */
  readonly tcpPort: number | undefined;
  readonly executor: Executor;
  status(): GatewayStatus;
  /** Where the calls of a server may go, one by one; none for a server that is not there. */
  instances(server: string): readonly InstanceStatus[];
  /** What the admin listener passes on. */
  readonly operate: AdminOperation;
  /** Takes over the fleets of a new configuration. */
  apply(config: ResolvedConfig, secrets: readonly string[]): void;
  /** Stops taking work, lets calls in flight end, then ends everything that was started. `lingerMs`: as in the configuration. */
  close(lingerMs?: number): Promise<void>;
}

/** Sessions and streams are looked after so often. */
const pulseMs = 15_000;
/** Calls that wait for answers of their clients, and for how long (a person may be asked). */
const maxParked = 10_000;
const parkedMs = 10 * 60_000;
/** Open `subscriptions/listen` streams of one caller. */
const maxSubscriptions = 1000;
const loopback = "127.0.0.1";
const now = () => performance.now();

/** Builds a gateway: the way of a request from top to bottom, each stage knowing only the next one. */
export async function startGateway(
  options: GatewayOptions,
  { listen = true, only, sessionsForGateways = false, routes }: GatewayShape = {},
): Promise<RunningGateway> {
  const { config, stateDirectory, place } = options;
  const { gateway } = config;
  const worker = place?.roster.slot ?? 0;
  const supervises = worker === supervisorSlot;
  const limits = readLimits();
  let secrets = options.secrets ?? [];
  let draining = false;
  const startedAt = new Date().toISOString();
  const strategies = options.strategies ?? new Strategies();
  strategies.check(config.servers);
  const keys = await sessionKeys(gateway.session.keys, stateDirectory);

  // Beside the way of a request: what is seen of it, and what runs the servers.
  const { log: whole, close: closeLog } =
    options.log ?? startLog(gateway.log, () => [...secrets, ...credentials.secrets()]);
  const log = place === undefined ? whole : whole.child({ worker });
  const siblings = place && new Siblings(place);
  const metrics: Metrics = new Metrics(
    () => ownFleets().map((fleet) => ({ ...gaugesOf(fleet), ...factory.countsOf(fleet) })),
    () => ({ live: sessions.live, max: sessions.max }),
    siblings && (() => siblings.metrics()),
  );
  const credentials: UpstreamCredentials = new UpstreamCredentials({
    store: new TokenStore(stateDirectory, new Sealer(sealingPurpose, keys)),
    ...{ clock: Date.now, metrics, log },
  });
  const records = stateDirectory === undefined ? undefined : join(stateDirectory, "instances");
  const driver = new ProcessDriver({ log, metrics, ...(records === undefined ? {} : { records }) });
  const packages = new PackageCache({ log });
  const redis = gateway.shared && (await Redis.open({ url: gateway.shared.redis, log, now }));
  if (place === undefined || supervises) await driver.sweep();
  const links = place === undefined || supervises ? undefined : new ProcessLinks(place.processes);

  const securityMetrics = new SecurityMetrics(metrics.registry, () => security.remembered);
  const audit = gateway.audit && new AuditLog({ audit: gateway.audit, metrics: securityMetrics, log, clock: Date.now });
  const integrity = new IntegrityDesk({
    ...{ stateDirectory, metrics: securityMetrics, log },
    onApproved: (server) => {
      registry.get(server)?.catalog.invalidate("tools");
      notices.add({ server, kind: "tools" });
    },
  });

  // Listeners → protocol → security → routing → registry → upstreams.
  const factory: FleetFactory = new FleetFactory({
    ...{ driver, packages, identity, credentials, metrics, log, now, random: Math.random, links },
    shared: redis && gateway.shared && { redis, prefix: gateway.shared.prefix, clock: Date.now },
    ...{ strategies, integrity },
    fleetNamed: (name) => registry.get(name),
    onListChanged: (fleet, kind) => notices.add({ server: fleet.name, kind }),
  });
  const registry: FleetRegistry = new FleetRegistry({
    create: (server) => factory.create(server),
    onListChanged: (change) => notices.add(change),
    drainMs: gateway.drainMs,
    log,
  });
  const sessions: SessionTable = new SessionTable({
    sealer: new SessionSealer(keys),
    ...gateway.session,
    ...{ worker, maxSessions: sessionBound(gateway.session.maxSessions, place?.workers ?? 1, limits) },
    clock: Date.now,
    onGone: (session) => {
      session.close();
      releaseAll(session, registry);
    },
    isHeld: ({ owner, fleets }) => [...fleets].some((name) => registry.get(name)?.holds(owner)),
  });
  const parked = new ParkedCalls({
    sealer: new Sealer("request state", keys),
    ...{ clock: Date.now, max: maxParked, expiryMs: parkedMs, worker },
  });
  const { maxBodyBytes } = gateway;
  const elsewhere = links && place && new Forwarder({ roster: place.roster, sessions, parked, maxBodyBytes });
  const subscriptions: Subscriptions = new Subscriptions({
    onGone: (client) => releaseAll(client, registry),
    maxPerCaller: maxSubscriptions,
  });
  const notices: ListChangeNotices = new ListChangeNotices((kind, servers) => {
    subscriptions.announce(kind, servers);
    const message = encodeNotification(`notifications/${kind}/list_changed`);
    for (const session of sessions.sessions()) {
      const { server } = session.claims;
      if (server === undefined || servers.has(server)) session.notify(message);
    }
  });
  const sessionCalls = new SessionCalls({ sessions, log });
  const modernCalls = new ModernCalls({ parked, log, sessionsFor: sessionsForGateways ? identity.name : undefined });
  const proxies = new Proxies(gateway.connections.trustedProxies);
  const security: Security = await Security.start(config, {
    ...{ metrics: securityMetrics, log, clock: Date.now, now },
    shared: redis && gateway.shared && { redis, prefix: gateway.shared.prefix },
    ...{ proxies, audit },
  });
  const executor = new Executor(registry, log);
  const all = new FederatedService(registry, identity, log);
  const federated = gateway.toolSearch ? new ToolSearchService(all) : all;
  const duplex = { calls: sessionCalls, modern: modernCalls, subscriptions, log };
  const serviceFor = (server: string | undefined = only, access = openAccess) => {
    if (server === undefined) return access === openAccess ? federated : federated.for(access);
    const fleet = registry.get(server);
    return fleet && new SingleService(fleet, access);
  };
  const modern = new ModernHttp({ calls: modernCalls, subscriptions, elsewhere });
  const mcp = new StreamableHttp({ calls: sessionCalls, metrics, log, maxBodyBytes, modern });
  const sse = new LegacySse({ ...duplex, maxBodyBytes, elsewhere, worker });
  const webSocket = new WebSocketListener({ ...duplex, maxMessageBytes: maxBodyBytes });
  const door = new FrontDoor({
    ...{ security, mcp, sse, webSocket, serviceFor, elsewhere },
    connections: {
      ...{ ...gateway.connections, tls: gateway.tls && tlsOptions(gateway.tls) },
      maxConnections: Math.min(gateway.connections.maxConnections, connectionBound(limits) ?? Number.POSITIVE_INFINITY),
      proxies: gateway.connections.proxyProtocol ? proxies : undefined,
    },
  });
  const { tcp } = gateway.listeners;
  const tcpListener = new TcpListener(duplex, () => {
    const service = serviceFor(tcp?.server, security.accessOf(localPrincipal));
    return service && { service, server: tcp?.server, caller: openAccess.principal.caller };
  });
  const readiness = new Readiness({ registry, draining: () => draining });
  const rest = await createRest({
    ...{ server: door.server, registry, executor, metrics, log, maxBodyBytes: gateway.maxBodyBytes },
    ...{ authenticated: gateway.auth !== undefined, readiness, more: routes },
    callerOf: (request) => security.callerOf(request),
    statuses: async () => (siblings === undefined ? fleetStatuses() : siblings.statuses(fleetStatuses())),
  });
  door.use(rest.listener);

  holdGatewayBounds(metrics.bounds, {
    ...{ sessions, parked, subscriptions, mcp, door, security },
    clients: [sse, webSocket, tcpListener],
    servers: () => registry.all().map((fleet) => [fleet.name, factory.boundsOf(fleet)]),
  });
  if (gateway.tls !== undefined) metrics.certificate("http", certificateExpiry(gateway.tls));
  const certificates = gateway.tls && followTls(door.server as HttpsServer, gateway.tls, log);
  const told = gateway.metricsLog && MetricsLog.start(gateway.metricsLog, () => metrics.json());
  const trimmer = new HeapTrimmer();
  const pulse = setInterval(() => {
    sessions.purge();
    trimmer.tend();
    subscriptions.keepAlive();
    for (const session of sessions.sessions()) for (const stream of session.streams) stream.keepAlive();
  }, pulseMs).unref();

  const processHost = supervises
    ? new ProcessHost({
        ...{ ...duplex, calls: new SessionCalls({ sessions, log: log.child({}, { level: "warn" }) }) },
        sessionEra: true,
        targetOf: (server) => {
          const service = serviceFor(server);
          return service && { service, server };
        },
        release: (server, owner) => void registry.get(server)?.release(owner),
      })
    : undefined;
  const principals = new ForwardedPrincipals();
  let internal: InternalListener | undefined;
  let url: string | undefined;
  let tcpPort: number | undefined;
  let admin: AdminListener | undefined;
  const fleetStatuses = () => registry.all().map((fleet) => fleet.status());
  const ownFleets = () => registry.all().filter(({ server }) => links === undefined || isRemote(server));
  const fleetsOf = ({ servers }: ResolvedConfig) => {
    const fleets = servers.map(withPreset);
    return place === undefined
      ? fleets
      : fleets.filter((one) => hasFleet(place, one)).map((one) => fleetAt(place, one));
  };
  const status = (): GatewayStatus => {
    return { pid: process.pid, startedAt, url, ready: readiness.look().ready, servers: fleetStatuses() };
  };
  const operators = new InstanceAdmin(registry);
  const operate: AdminOperation = (method, url, body) =>
    integrity.handle(method, url, body) ?? operators.handle(method, url, body);
  const close = async (linger = gateway.lingerMs) => {
    if (draining) return;
    draining = true;
    log.info("draining");
    clearInterval(pulse);
    told?.close();
    links?.leave();
    const until = now() + gateway.drainMs;
    const retired = door.retire(Math.min(linger, gateway.drainMs));
    sessions.endStreams();
    subscriptions.close();
    await retired;
    // Those that were opened on old connections meanwhile.
    sessions.endStreams();
    subscriptions.close();
    parked.close();
    await door.close(Math.max(until - now(), 0));
    await internal?.close(gateway.drainMs);
    elsewhere?.close();
    certificates?.close();
    await tcpListener.close();
    await processHost?.close();
    await rest.app.close();
    sessions.clear();
    await registry.close();
    await driver.close();
    await redis?.close();
    await admin?.close();
    await audit?.close();
    log.info("ended");
    await closeLog();
  };

  try {
    await processHost?.listen((place as Place).processes);
    if (place !== undefined) {
      internal = await InternalListener.start(place.socket, {
        ...{ status: fleetStatuses, operate },
        metrics: async () => (await metrics.json()).filter((metric) => ownMetric(place, metric)),
        forwarded: (request, response) => door.forwarded(request, response, security.accessOf(principals.of(request))),
      });
    }
    if (listen) {
      const port = await door.listen(gateway.host, gateway.port, place !== undefined, options.socket);
      url = `${gateway.tls === undefined ? "http" : "https"}://${hostInUrl(gateway.host)}:${port}`;
    }
    if (tcp !== undefined) tcpPort = await tcpListener.listen(loopback, tcp.port);
    if (gateway.admin.socket !== undefined) {
      const shutdown = options.onShutdown ?? (() => {});
      const reload = options.reload ?? (async () => {});
      admin = await AdminListener.start(gateway.admin.socket, {
        ...{ status, reload, shutdown, operate },
      });
    }
  } catch (error) {
    await close();
    throw error;
  }
  credentials.apply(config.servers);
  registry.apply(fleetsOf(config));
  log.info({ url, servers: config.servers.map(({ name }) => name) }, "listening");

  return {
    url,
    tcpPort,
    ...{ executor, status, operate },
    instances: (server) => registry.get(server)?.instances.status() ?? [],
    apply(next, nextSecrets) {
      strategies.check(next.servers);
      secrets = nextSecrets;
      const fixed = needRestart(next.gateway, gateway);
      security
        .apply(next)
        .catch((error) => log.error({ err: error }, "the security settings in force stay as they are"));
      if (fixed.length > 0) log.warn({ keys: fixed }, "changed settings of the gateway itself need a restart");
      credentials.apply(next.servers);
      registry.apply(fleetsOf(next));
    },
    close,
  };
}

function releaseAll({ owner, fleets }: ServiceClient, registry: FleetRegistry): void {
  for (const name of fleets) void registry.get(name)?.release(owner);
}
