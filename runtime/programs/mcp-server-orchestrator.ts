import { EventEmitter } from "node:events";
import { performance } from "node:perf_hooks";
import pino from "pino";
import type { Log, Server } from "../config/schema/index.ts";
import { FleetError } from "../errors.ts";
import type { GatewayStatus } from "../gateway.ts";
import { type ClusterMember, ClusterNode } from "../orchestrator/cluster/index.ts";
import type { Params } from "../protocol/json-rpc.ts";
import type { StrategyFactory } from "../registry/balancing/strategy.ts";
import { type MCPServerConfig, serverOf } from "./mcp-server-config.ts";
import { type ExecuteOptions, ProgramGateway } from "./program-gateway.ts";
import { RequestAllowance } from "./request-allowance.ts";

/** An orchestrator, in the words of the specification. Times are in milliseconds. */
export interface OrchestratorOptions {
  readonly loadBalancer?: {
    /** `round-robin`, `least-connections`, `weighted`, `resource-based`, or `custom:<name>` of a registered one. Defaults to `least-connections`. */
    readonly strategy?: string;
    /** Between two checks of an instance. Defaults to 10000. */
    readonly healthCheckInterval?: number;
    /** Failed checks in a row after which an instance gets no calls. Defaults to 3. */
    readonly unhealthyThreshold?: number;
    /** The program's requests stay with one instance. Defaults to false. */
    readonly stickySession?: boolean;
  };
  readonly monitoring?: {
    /** Between two `metrics` events. Defaults to 15000. */
    readonly metricsInterval?: number;
    /** Defaults to `warn`. */
    readonly logLevel?: NonNullable<Log["level"]>;
  };
  readonly clustering?: {
    readonly enabled: boolean;
    /** Unique in the cluster. */
    readonly nodeId: string;
    /** URL of a `ClusterCoordinator` (`mcp-fleet coordinator`). */
    readonly coordinatorEndpoint: string;
    /** The coordinator's token. Defaults to none. */
    readonly token?: string;
    /** Between two heartbeats. Defaults to 5000. */
    readonly heartbeatInterval?: number;
    /** Where other nodes reach this one. Defaults to the address that `listen` gives. */
    readonly advertisedUrl?: string;
  };
  /** Serves clients and other nodes on 127.0.0.1, too; 0 takes a free port. Defaults to no port at all. */
  readonly listen?: { readonly port: number };
}

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
  readonly #pulse: NodeJS.Timeout;
  readonly #node: ClusterNode | undefined;
  #status: GatewayStatus | undefined;

  constructor(options: OrchestratorOptions = {}) {
    super();
    const { monitoring, listen, clustering } = options;
    this.#options = options;
    const level = monitoring?.logLevel ?? "warn";
    this.#gateway = new ProgramGateway({ log: { level }, ...(listen === undefined ? {} : { port: listen.port }) });
    this.#pulse = setInterval(() => void this.#tell(), monitoring?.metricsInterval ?? 15_000).unref();
    if (clustering?.enabled !== true) return;
    const { nodeId, coordinatorEndpoint, token, heartbeatInterval = 5000 } = clustering;
    this.#node = new ClusterNode({
      ...{ nodeId, coordinatorEndpoint, token, heartbeatMs: heartbeatInterval },
      log: pino({ level }, pino.destination(2)),
      report: () => this.#report(),
      onChange: (members) => this.emit("cluster", members),
    });
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
    const server = serverOf(config);
    this.#gateway.allowOrigins(config.security?.corsOrigins ?? []);
    const limit = config.security?.rateLimiting;
    if (limit === undefined) this.#allowances.delete(config.name);
    else {
      const now = () => performance.now();
      this.#allowances.set(config.name, new RequestAllowance(limit.windowMs, limit.maxRequests, now));
    }
    await this.#gateway.add({ [config.name]: this.#balanced(server) });
    await this.#refresh();
  }

  /** Drains a server and ends its instances. False when there is none of that name. */
  async unregisterServer(name: string): Promise<boolean> {
    this.#allowances.delete(name);
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
    const host = this.#gateway.has(server) ? undefined : this.#hostOf(server);
    return host === undefined
      ? this.#gateway.execute(server, method, params, options)
      : askNode(host, server, { method, params, ...options });
  }

  /** What runs here, and how well; undefined before the first server. */
  status(): Promise<GatewayStatus | undefined> {
    return this.#gateway.status();
  }

  /** The other living nodes of the cluster and their servers; none without clustering. */
  members(): readonly ClusterMember[] {
    return this.#node?.members ?? [];
  }

  /** Ends the servers that were started here, and leaves the cluster. */
  async close(): Promise<void> {
    clearInterval(this.#pulse);
    await this.#node?.close();
    await this.#gateway.close();
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
      ...{ name, type, version, health, instances, inFlight },
    }));
    return { url: this.#options.clustering?.advertisedUrl ?? status?.url ?? null, servers };
  }

  #hostOf(server: string): string | undefined {
    const hosts = this.members().filter(
      ({ url, servers }) => url !== null && servers.some(({ name, health }) => name === server && health === "ready"),
    );
    return hosts[0]?.url ?? undefined;
  }
}

/** Sends one request to another node's REST interface. */
async function askNode(url: string, server: string, body: object): Promise<unknown> {
  const response = await fetch(new URL(`/api/v1/servers/${encodeURIComponent(server)}/requests`, url), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const reply = (await response.json()) as { result?: unknown; error?: { message: string } };
  if (reply.error === undefined) return reply.result;
  throw new FleetError("UPSTREAM_PROTOCOL", `${server} at ${url}: ${reply.error.message}`, {
    data: { error: reply.error },
  });
}

/** The members that have a value. */
const given = <Value extends object>(value: Value): Partial<Value> =>
  Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as Partial<Value>;
