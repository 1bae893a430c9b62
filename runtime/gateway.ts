import type { Server as HttpsServer } from "node:https";
import { dirname } from "node:path";
import { performance } from "node:perf_hooks";
import type { ResolvedConfig } from "./config/index.ts";
import { needRestart } from "./config/live-settings.ts";
import type { GatewayOptions, GatewayShape } from "./gateway-options.ts";
import { startPulse } from "./gateway-pulse.ts";
import { AdminListener, type AdminOperation } from "./listeners/admin.ts";
import { ByteBudget } from "./listeners/byte-budget.ts";
import { FrontDoor } from "./listeners/front-door.ts";
import { InstanceAdmin } from "./listeners/instance-admin.ts";
import { LegacySse } from "./listeners/legacy-sse.ts";
import { LocalTarget } from "./listeners/local-target.ts";
import { ModernCalls } from "./listeners/modern-calls.ts";
import { ModernHttp } from "./listeners/modern-http.ts";
import { OpenReplies } from "./listeners/open-replies.ts";
import { Ports } from "./listeners/ports.ts";
import { createRest } from "./listeners/rest.ts";
import { SessionCalls } from "./listeners/session-calls.ts";
import { StreamableHttp } from "./listeners/streamable-http.ts";
import { Subscriptions } from "./listeners/subscriptions.ts";
import { TcpListener } from "./listeners/tcp.ts";
import { WebSocketListener } from "./listeners/web-socket.ts";
import { gaugesOf } from "./observability/fleet-gauges.ts";
import { holdGatewayBounds } from "./observability/gateway-bounds.ts";
import { startLog } from "./observability/logger.ts";
import { Metrics } from "./observability/metrics.ts";
import { MetricsLog } from "./observability/metrics-log.ts";
import { SecurityMetrics } from "./observability/security-metrics.ts";
import { FleetFactory, withPreset } from "./orchestrator/fleet-factory.ts";
import { PackageCache } from "./orchestrator/package-cache.ts";
import { ProcessDriver } from "./orchestrator/process-driver.ts";
import { openSharedStores } from "./performance/index.ts";
import { EndedSessions } from "./protocol/ended-sessions.ts";
import { encodeNotification } from "./protocol/json-rpc.ts";
import { ParkedCalls } from "./protocol/parked-calls.ts";
import { SessionSealer } from "./protocol/sealed-session.ts";
import { Sealer } from "./protocol/sealer.ts";
import { sessionKeys } from "./protocol/session-keys.ts";
import { SessionTable } from "./protocol/session-table.ts";
import { TaskIds } from "./protocol/task-ids.ts";
import { Strategies } from "./registry/balancing/strategies.ts";
import { FleetRegistry } from "./registry/fleet-registry.ts";
import { Readiness } from "./registry/readiness.ts";
import { Executor } from "./routing/executor.ts";
import { FederatedService } from "./routing/federated-service.ts";
import { ListChangeNotices } from "./routing/list-change-notices.ts";
import type { ServiceClient } from "./routing/mcp-service.ts";
import { SingleService } from "./routing/single-service.ts";
import { ToolSearchService } from "./routing/tool-search-service.ts";
import type { GatewayStatus, RunningGateway } from "./running-gateway.ts";
import {
  AuditLog,
  certificateExpiry,
  followTls,
  openAccess,
  Proxies,
  Security,
  strangersAt,
  tlsOptions,
} from "./security/index.ts";
import { IntegrityDesk } from "./security/integrity/index.ts";
import { sealingPurpose, TokenStore, UpstreamCredentials } from "./upstreams/credentials/index.ts";
import { identity } from "./version.ts";
import { ForwardedPrincipals } from "./workers/forwarded-principal.ts";
import { Forwarder } from "./workers/forwarder.ts";
import { InternalListener } from "./workers/internal-listener.ts";
import { byteBound, connectionBound, readLimits, sessionBound } from "./workers/limits.ts";
import { fleetAt, hasFleet, isRemote, ownMetric, type Place, supervisorSlot } from "./workers/place.ts";
import { ProcessHost } from "./workers/process-host.ts";
import { ProcessLinks } from "./workers/process-link.ts";
import { Siblings } from "./workers/siblings.ts";

export type { GatewayOptions, GatewayShape } from "./gateway-options.ts";
export type { Applied, GatewayStatus, RunningGateway } from "./running-gateway.ts";

/** Calls that wait for answers of their clients, and for how long (a person may be asked). */
const maxParked = 10_000;
const parkedMs = 10 * 60_000;
/** Open `subscriptions/listen` streams of one caller. */
const maxSubscriptions = 1000;
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
  const driver = new ProcessDriver({ log, metrics, config, stateDirectory, hidden: place && dirname(place.processes) });
  const packages = new PackageCache({ log });
  const shared = await openSharedStores(gateway, { keys, log, now });
  if (place === undefined || supervises) await driver.sweep();
  const links = place === undefined || supervises ? undefined : new ProcessLinks(place.processes);

  const securityMetrics = new SecurityMetrics(metrics.registry, () => ({ security, audit }));
  const audit: AuditLog | undefined =
    gateway.audit && new AuditLog({ audit: gateway.audit, metrics: securityMetrics, log, clock: Date.now });
  const integrity = new IntegrityDesk({
    ...{ stateDirectory, metrics: securityMetrics, log },
    onApproved: (server) => {
      registry.get(server)?.catalog.invalidate("tools");
      notices.add({ server, kind: "tools" });
    },
  });

  // Listeners → protocol → security → routing → registry → upstreams.
  // Sessions at a server host are those of gateways, which change them.
  const taskIds = new TaskIds(keys, { bySession: only === undefined });
  const factory: FleetFactory = new FleetFactory({
    driver,
    packages,
    identity,
    credentials,
    metrics,
    log,
    now,
    random: Math.random,
    links,
    strategies,
    integrity,
    shared: shared?.answers,
    taskIds: supervises ? undefined : taskIds,
    fleetNamed: (name) => registry.get(name),
    giveUpParked: (backends) => parked.giveUp(backends),
    callerAttached: (caller, named) => subscriptions.has(caller) || (named && sessions.attached(caller)),
    onListChanged: (fleet, kind) => notices.add({ server: fleet.name, kind }),
  });
  const registry: FleetRegistry = new FleetRegistry({
    create: (server) => factory.create(server),
    onListChanged: (change) => notices.add(change),
    onChange: (server, outcome) => metrics.serverChanged(server, outcome),
    drainMs: gateway.drainMs,
    sessionDrainMs: gateway.session.drainMs,
    removedDrainMs: supervises ? gateway.session.drainMs : 0,
    log,
  });
  const sessions: SessionTable = new SessionTable({
    sealer: new SessionSealer(keys),
    ...gateway.session,
    ...{ worker, maxSessions: sessionBound(gateway.session.maxSessions, place?.workers ?? 1, limits) },
    clock: Date.now,
    onGone: (session) => {
      session.close();
      registry.releaseAll(session);
    },
    endedForGood: new EndedSessions({
      stateDirectory,
      shared: place !== undefined || options.succession !== undefined,
      log,
      clock: Date.now,
      maxAgeMs: gateway.session.maxAgeMs,
    }),
    isHeld: ({ owner, fleets }) => [...fleets].some((name) => registry.get(name)?.holds(owner)),
  });
  const parked = new ParkedCalls({
    sealer: new Sealer("request state", keys),
    ...{ clock: Date.now, max: maxParked, expiryMs: parkedMs, worker },
  });
  const { maxBodyBytes } = gateway;
  const elsewhere = links && place && new Forwarder({ roster: place.roster, sessions, parked, maxBodyBytes });
  const stateless = {
    isStranger: strangersAt(gateway.host, sessionsForGateways),
    onGone: (client: ServiceClient) => registry.releaseAll(client),
  };
  const subscriptions = new Subscriptions({ ...stateless, maxPerCaller: maxSubscriptions });
  const notices: ListChangeNotices = new ListChangeNotices((kind, servers) => {
    subscriptions.announce(kind, servers);
    const message = encodeNotification(`notifications/${kind}/list_changed`);
    for (const session of sessions.sessions()) {
      const { server } = session.claims;
      if (server === undefined || servers.has(server)) session.notify(message);
    }
  });
  const sessionCalls = new SessionCalls({ sessions, log });
  const sessionsFor = sessionsForGateways ? identity.name : undefined;
  const modernCalls = new ModernCalls({ ...stateless, parked, log, sessionsFor });
  const proxies = new Proxies(gateway.connections.trustedProxies);
  const security: Security = await Security.start(config, {
    ...{ metrics: securityMetrics, log, clock: Date.now, now },
    shared: shared && { ...shared.counts, processes: place?.workers ?? 1 },
    proxies,
    audit,
    failures: options.failures,
  });
  const executor = new Executor(registry, log);
  const all = new FederatedService({ registry, identity, log, taskIds });
  const federated = gateway.toolSearch ? new ToolSearchService(all) : all;
  const { maxBufferedBytes } = gateway.connections;
  const budget = new ByteBudget(byteBound(maxBufferedBytes, place?.workers ?? 1, limits), (of, bytes) =>
    log.warn({ of, bytes }, "ended the largest holder of bytes: gateway.connections.maxBufferedBytes is reached"),
  );
  const duplex = { calls: sessionCalls, modern: modernCalls, subscriptions, log, budget };
  const serviceFor = (server: string | undefined = only, access = openAccess) => {
    if (server === undefined) return access === openAccess ? federated : federated.for(access);
    const fleet = registry.get(server);
    // A server that the caller cannot reach answers like one that is not there.
    return fleet && access.knows(fleet) ? new SingleService(fleet, access) : undefined;
  };
  const replies = new OpenReplies(gateway.compressFromBytes);
  const modern = new ModernHttp({ calls: modernCalls, subscriptions, replies, elsewhere });
  const mcp = new StreamableHttp({ calls: sessionCalls, metrics, log, maxBodyBytes, modern, replies });
  const sse = new LegacySse({ ...duplex, maxBodyBytes, elsewhere, worker });
  const webSocket = new WebSocketListener({ ...duplex, maxMessageBytes: maxBodyBytes });
  const door = new FrontDoor({
    security,
    mcp,
    sse,
    webSocket,
    serviceFor,
    elsewhere,
    connections: {
      ...{ ...gateway.connections, tls: gateway.tls && tlsOptions(gateway.tls) },
      maxConnections: Math.min(gateway.connections.maxConnections, connectionBound(limits) ?? Number.POSITIVE_INFINITY),
      proxies,
      budget,
    },
  });
  const { tcp } = gateway.listeners;
  const bounds = { maxMessageBytes: gateway.maxBodyBytes, maxConnections: gateway.connections.maxConnections };
  const tcpListener = new TcpListener({ ...duplex, ...bounds }, () =>
    LocalTarget.of(tcp?.server, security, serviceFor),
  );
  const readiness = new Readiness({ registry, draining: () => draining, muted: () => audit?.closed === true });
  const rest = await createRest({
    ...{ server: door.server, registry, executor, metrics, log, maxBodyBytes: gateway.maxBodyBytes },
    ...{ authenticated: gateway.auth !== undefined, readiness, more: routes },
    callerOf: (request) => security.callerOf(request),
    viewerOf: (request) => security.viewerOf(request),
    statuses: async () => (siblings === undefined ? fleetStatuses() : siblings.statuses(fleetStatuses())),
  });
  door.use(rest.listener);

  holdGatewayBounds(metrics.bounds, {
    sessions,
    parked,
    subscriptions,
    mcp,
    door,
    budget,
    security,
    clients: [sse, webSocket, tcpListener],
    servers: () => registry.all().map((fleet) => [fleet.name, factory.boundsOf(fleet)]),
  });
  if (gateway.tls !== undefined) metrics.certificate("http", certificateExpiry(gateway.tls));
  const certificates = gateway.tls && followTls(door.server as HttpsServer, gateway.tls, log);
  const told = gateway.metricsLog && MetricsLog.start(gateway.metricsLog, () => metrics.json());
  const stopPulse = startPulse({ sessions, subscriptions, sse, idleTimeoutMs: gateway.session.idleTimeoutMs });

  const processHost = supervises
    ? new ProcessHost({
        ...{ ...duplex, calls: new SessionCalls({ sessions, log: log.child({}, { level: "warn" }) }) },
        sessionEra: true,
        targetOf: (server) => {
          const service = serviceFor(server);
          return service && { service, server, access: openAccess };
        },
        release: (server, owner) => void registry.get(server)?.release(owner),
      })
    : undefined;
  const principals = new ForwardedPrincipals();
  let internal: InternalListener | undefined;
  const { succession, socket } = options;
  const ports = new Ports({ gateway, door, tcp: tcpListener, worker: place !== undefined, listen, succession, socket });
  let admin: AdminListener | undefined;
  const fleetStatuses = () => registry.all().map((fleet) => fleet.status());
  const ownFleets = () => registry.all().filter(({ server }) => links === undefined || isRemote(server));
  const fleetsOf = ({ servers }: ResolvedConfig) => {
    const fleets = servers.map(withPreset);
    return place === undefined
      ? fleets
      : fleets.filter((one) => hasFleet(place, one)).map((one) => fleetAt(place, one));
  };
  const status = (): GatewayStatus => ({
    pid: process.pid,
    startedAt,
    url: ports.url,
    ready: readiness.look().ready,
    servers: fleetStatuses(),
    audit: audit?.status,
  });
  const operators = new InstanceAdmin(registry);
  const operate: AdminOperation = (method, url, body) =>
    integrity.handle(method, url, body) ?? operators.handle(method, url, body);
  const close = async (linger = gateway.lingerMs) => {
    if (draining) return;
    draining = true;
    log.info("draining");
    stopPulse();
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
    replies.close();
    // Its connections hold up the other workers that end.
    elsewhere?.close();
    await internal?.close(gateway.drainMs);
    certificates?.close();
    await tcpListener.close();
    await processHost?.close();
    await rest.app.close();
    sessions.clear();
    // A server that is just being started ends with its process, and is not waited for.
    await Promise.all([registry.close(), driver.close()]);
    await shared?.close();
    await admin?.close();
    await audit?.close();
    log.info("ended");
    await closeLog();
  };

  try {
    await processHost?.listen((place as Place).processes);
    if (place !== undefined) {
      internal = await InternalListener.start(place.socket, budget, {
        ...{ status: fleetStatuses, operate },
        metrics: async () => (await metrics.json()).filter((metric) => ownMetric(place, metric)),
        forwarded: (request, response) => door.forwarded(request, response, security.accessOf(principals.of(request))),
      });
    }
    if (options.succession !== "next" || place !== undefined) await ports.open();
    if (gateway.admin.socket !== undefined) {
      const { onShutdown: shutdown = () => {}, reload = async () => {} } = options;
      const actions = { status, reload, shutdown, operate, listen: () => ports.open() };
      admin = await AdminListener.start(gateway.admin.socket, actions);
    }
  } catch (error) {
    await close();
    throw error;
  }
  credentials.apply(config.servers);
  driver.configure(config);
  await registry.apply(fleetsOf(config));
  log.info({ url: ports.url, servers: config.servers.map(({ name }) => name) }, "listening");

  return {
    get url() {
      return ports.url;
    },
    get tcpPort() {
      return ports.tcpPort;
    },
    ...{ executor, status, operate, metrics: () => metrics.text() },
    instances: (server) => registry.get(server)?.instances.status() ?? [],
    kept: (reason) => {
      metrics.reloaded(false);
      log.error({ reason }, "the configuration is wrong: the one in force stays as it is");
    },
    async apply(next, nextSecrets) {
      strategies.check(next.servers);
      secrets = nextSecrets;
      const fixed = needRestart(next.gateway, gateway);
      const secured = security.apply(next).catch((error) => {
        log.error({ err: error }, "the security settings in force stay as they are");
        throw error;
      });
      if (fixed.length > 0) log.warn({ keys: fixed }, "changed settings of the gateway itself need a restart");
      credentials.apply(next.servers);
      driver.configure(next);
      const changes = registry.apply(fleetsOf(next));
      await secured;
      metrics.reloaded(true);
      return { changes };
    },
    close,
  };
}
