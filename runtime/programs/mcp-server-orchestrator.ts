import { EventEmitter } from "node:events";
import { performance } from "node:perf_hooks";
import pino from "pino";
import { type Gateway, isLoopback, type Server } from "../config/schema/index.ts";
import { FleetError } from "../errors.ts";
import type { GatewayStatus } from "../gateway.ts";
import {
  type ClusterMember,
  ClusterNode,
  clusterToken,
  maxServers,
  NodeCalls,
  NodeKeys,
  wrongNodeUrl,
} from "../orchestrator/cluster/index.ts";
import type { Params } from "../protocol/json-rpc.ts";
import type { StrategyFactory } from "../registry/balancing/strategy.ts";
import { digestOf } from "../security/secret-table.ts";
import { type MCPServerConfig, serverOf } from "./mcp-server-config.ts";
import { checkOrchestrator, type OrchestratorOptions } from "./orchestrator-options.ts";
import { type ExecuteOptions, ProgramGateway } from "./program-gateway.ts";
import { RequestAllowance } from "./request-allowance.ts";

/** What an orchestrator tells. */
export interface OrchestratorEvents {
  /** Every `metricsInterval`. */
  readonly metrics: [status: GatewayStatus];
  /** Other nodes of the cluster came or went. */
  readonly cluster: [members: readonly ClusterMember[]];
}

/** Runs and calls MCP servers for a program, alone or as a node of a cluster whose nodes take each other's requests. */
export class MCPServerOrchestrator extends EventEmitter<OrchestratorEvents> {
  readonly #options: OrchestratorOptions;
  readonly #gateway: ProgramGateway;
  readonly #allowances = new Map<string, RequestAllowance>();
  readonly #origins = new Map<string, readonly string[]>();
  readonly #pulse: NodeJS.Timeout;
  readonly #node: ClusterNode | undefined;
  readonly #calls: NodeCalls | undefined;
  #status: GatewayStatus | undefined;

  /** Throws CONFIG_INVALID, naming the option. */
  constructor(options: OrchestratorOptions = {}) {
    super();
    checkOrchestrator(options);
    const { monitoring, clustering } = options;
    this.#options = options;
    const level = monitoring?.logLevel ?? "warn";
    this.#gateway = new ProgramGateway({ log: { level }, ...sectionOf(options) });
    if (clustering?.enabled === true) {
      const { nodeId, coordinatorEndpoint, token = clusterToken(), heartbeatInterval = 5000 } = clustering;
      const wrongUrl = clustering.advertisedUrl === undefined ? undefined : wrongNodeUrl(clustering.advertisedUrl);
      if (wrongUrl !== undefined) throw new FleetError("CONFIG_INVALID", `clustering.advertisedUrl: ${wrongUrl}`);
      const keys = new NodeKeys();
      const log = pino({ level }, pino.destination(2));
      this.#node = new ClusterNode({
        nodeId,
        coordinatorEndpoint,
        token,
        keys,
        heartbeatMs: heartbeatInterval,
        log,
        report: () => this.#report(),
        onChange: (members) =>
          void this.#joined(members, keys).catch((error) =>
            log.error({ err: error }, "nodes that joined are not let in"),
          ),
      });
      const patienceMs = 2 * heartbeatInterval;
      this.#calls = new NodeCalls({ nodeId, keys, patienceMs, now: () => performance.now() });
    }
    this.#pulse = setInterval(() => void this.#tell(), monitoring?.metricsInterval ?? 15_000).unref();
  }

  /**
   * Makes a strategy of the program's own: servers that are registered from now on may name it as `custom:<name>`. Throws
   * CONFIG_INVALID when the name is taken.
   */
  registerLoadBalancer(name: string, factory: StrategyFactory): void {
    this.#gateway.strategies.registerLoadBalancer(name, factory);
  }

  /** Starts a server, or reaches it; resolves when it serves. Throws CONFIG_INVALID; rejects when it cannot serve. */
  async registerServer(config: MCPServerConfig): Promise<void> {
    const server = serverOf(config, this.#gateway.listens);
    const origins = this.#origins.get(config.name);
    this.#allowOrigins(config.name, config.security?.corsOrigins);
    try {
      await this.#gateway.add({ [config.name]: this.#balanced(server) });
    } catch (error) {
      // Nobody is let in for a server that does not serve.
      this.#allowOrigins(config.name, origins);
      throw error;
    }
    const limit = config.security?.rateLimiting;
    if (limit === undefined) this.#allowances.delete(config.name);
    else {
      const now = () => performance.now();
      this.#allowances.set(config.name, new RequestAllowance(limit.windowMs, limit.maxRequests, now));
    }
    await this.#refresh();
  }

  /** Drains a server and ends its instances. False when there is none of that name. */
  async unregisterServer(name: string): Promise<boolean> {
    this.#allowances.delete(name);
    this.#allowOrigins(name, undefined);
    const removed = await this.#gateway.remove(name);
    await this.#refresh();
    return removed;
  }

  /**
   * Calls an MCP method, a tool, or an alias of one; returns the server's own result. A server that only another node of
   * the cluster has is asked there. Rejects with the server's error.
   */
  async executeRequest(
    server: string,
    method: string,
    params: Params = {},
    options: ExecuteOptions = {},
  ): Promise<unknown> {
    this.#allowances.get(server)?.take(server);
    if (this.#gateway.has(server) || this.#calls === undefined || this.#hostsOf(server).length === 0)
      return this.#gateway.execute(server, method, params, options);
    return this.#calls.execute(() => this.#hostsOf(server), server, { method, params, ...options });
  }

  /** What runs here, and how well; undefined before the first server. */
  status(): Promise<GatewayStatus | undefined> {
    return this.#gateway.status();
  }

  /** Rates, latencies, errors and bounds as Prometheus' text, with or without a port; undefined before the first server. */
  metrics(): Promise<string | undefined> {
    return this.#gateway.metrics();
  }

  /** The other living nodes of the cluster and their servers; none without clustering. */
  members(): readonly ClusterMember[] {
    return this.#node?.members ?? [];
  }

  /** Ends the servers that were started here, and leaves the cluster. */
  async close(): Promise<void> {
    clearInterval(this.#pulse);
    await this.#node?.close();
    await this.#calls?.close();
    await this.#gateway.close();
  }

  #allowOrigins(server: string, origins: readonly string[] | undefined): void {
    if (origins === undefined) this.#origins.delete(server);
    else this.#origins.set(server, origins);
    this.#gateway.allowOrigins([...this.#origins.values()].flat());
  }

  /** Other nodes came or went: lets the present ones call here, each under its own name. */
  async #joined(members: readonly ClusterMember[], keys: NodeKeys): Promise<void> {
    const { listen, clustering } = this.#options;
    const { nodeId: own } = clustering as NonNullable<OrchestratorOptions["clustering"]>;
    if (listen !== undefined) {
      const tokens = members.flatMap(({ nodeId, publicKey }) => {
        const token = keys.tokenBetween(publicKey, nodeId, own);
        return token === undefined ? [] : [{ name: `node:${nodeId}`, hash: `sha256:${digestOf(token)}` }];
      });
      const bearerTokens = [...(listen.auth?.bearerTokens ?? []), ...tokens];
      await this.#gateway.admit({ ...listen.auth, bearerTokens });
    }
    this.emit("cluster", members);
  }

  #balanced(server: Server): Server {
    const { loadBalancer } = this.#options;
    if (loadBalancer === undefined) return server;
    const { strategy, stickySession, healthCheckInterval: intervalMs, unhealthyThreshold } = loadBalancer;
    return {
      ...server,
      loadBalancer: { ...given({ strategy, stickySession }), ...server.loadBalancer },
      healthCheck: { ...given({ intervalMs, unhealthyThreshold }), ...server.healthCheck },
    };
  }

  async #refresh(): Promise<void> {
    this.#status = await this.#gateway.status();
    await this.#node?.heartbeat();
  }

  async #tell(): Promise<void> {
    this.#status = await this.#gateway.status();
    if (this.#status !== undefined) this.emit("metrics", this.#status);
  }

  #report() {
    const status = this.#status;
    const servers = (status?.servers ?? []).map(({ name, type, version, health, instances, inFlight }) => ({
      name,
      type,
      version: version.slice(0, maxVersion),
      health,
      instances,
      inFlight,
    }));
    const url = this.#options.clustering?.advertisedUrl ?? status?.url ?? null;
    return { url, servers: servers.slice(0, maxServers) };
  }

  #hostsOf(server: string): readonly ClusterMember[] {
    return this.members().filter(
      ({ url, servers }) => url !== null && servers.some(({ name, health }) => name === server && health === "ready"),
    );
  }
}

/** Of a version that a server gives itself, what other nodes are told. */
const maxVersion = 100;

/** The gateway's port. Throws CONFIG_INVALID for one that strangers reach. */
function sectionOf({ listen, clustering }: OrchestratorOptions): Gateway {
  if (listen === undefined) return {};
  const { port, host = "127.0.0.1", auth, tls } = listen;
  const clustered = clustering?.enabled === true;
  if (auth === undefined && !clustered && !isLoopback(host)) {
    const fix = "give listen.auth, or leave it at 127.0.0.1";
    throw new FleetError("CONFIG_INVALID", `listen.host is "${host}", which other machines reach; ${fix}`);
  }
  const known = auth ?? (clustered ? { bearerTokens: [] } : undefined);
  return { port, host, ...(known === undefined ? {} : { auth: known }), ...(tls === undefined ? {} : { tls }) };
}

/** The members that have a value. */
const given = <Value extends object>(value: Value): Partial<Value> =>
  Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as Partial<Value>;
