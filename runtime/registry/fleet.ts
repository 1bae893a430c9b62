import { LRUCache } from "lru-cache";
import type { Logger } from "pino";
import type { ResolvedServer } from "../config/index.ts";
import { FleetError } from "../errors.ts";
import type { Bound } from "../observability/bounds.ts";
import type { CallCounts } from "../observability/call-metrics.ts";
import type { Metrics } from "../observability/metrics.ts";
import { Exchange } from "../protocol/exchange.ts";
import type { Params, RpcReply } from "../protocol/json-rpc.ts";
import { wantsMore } from "../protocol/log-levels.ts";
import type { Connector, ServerDescription } from "../upstreams/upstream-session.ts";
import type { StrategyFactory } from "./balancing/strategy.ts";
import { Catalog, type ListCapability, type ToolDescription } from "./catalog.ts";
import { type FleetCall, type FleetStage, pipelineOf } from "./fleet-call.ts";
import { FleetInstances, type RemoteOptions } from "./fleet-instances.ts";
import type { Instance } from "./instance.ts";
import type { InstanceSource } from "./instance-source.ts";
import { queuePerInstance } from "./leased-instances.ts";
import { Resilience } from "./resilience/resilience.ts";
import { type ResourceListener, ResourceSubscriptions } from "./resource-subscriptions.ts";
import { ToolFilter } from "./tool-filter.ts";

/** Health of a fleet: `ready` serves, `starting` is about to, `failed` says why in `error`, `idle` has been scaled to zero. */
export type FleetHealth = "ready" | "starting" | "failed" | "idle";

/** A fleet as operators see it. */
export interface FleetStatus {
  readonly name: string;
  readonly type: string;
  /** Of a preset its package's version, which the server may not know; of another server what it says of itself. */
  readonly version: string;
  readonly isolation: string;
  readonly source: string;
  readonly instances: { readonly ready: number; readonly total: number; readonly max: number };
  readonly inFlight: number;
  readonly waiting: number;
  readonly restarts: number;
  readonly health: FleetHealth;
  readonly tools: number | null;
  /** Start of the fastest instance in milliseconds, handshake included. */
  readonly startupMs: number | null;
  readonly error?: string;
}

/** For whom a fleet works. */
export interface FleetClient {
  /** A client session, or whatever else keeps state of its own. */
  readonly owner: string;
  /** Who is authenticated behind it; undefined when nobody else may share anything with the owner. */
  readonly caller: string | undefined;
  /** Who is authenticated when that gives no part in a caller's instances, only in the answers kept for the caller. */
  readonly reader?: string | undefined;
  /** Under which name it has an instance to itself, when not the owner's. */
  readonly lease?: string | undefined;
  /** Fleets that may hold something for the owner; a fallback adds its own. */
  readonly fleets?: Set<string>;
}

export interface FleetOptions {
  /** Without its secrets. `perCaller`: each caller has credentials of its own there. */
  readonly server: Omit<ResolvedServer, "credentials"> & { readonly isolation: string; readonly perCaller?: boolean };
  /** Starts local processes; a fleet has either this or `remote`. */
  readonly connector?: Connector;
  readonly remote?: RemoteOptions;
  /** The load balancing strategy that the configuration names. */
  readonly strategy: StrategyFactory;
  /** Other fleets, for `fallback`. */
  readonly fleetNamed: (name: string) => Fleet | undefined;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly now: () => number;
  /** Numbers from 0 up to 1. */
  readonly random: () => number;
  /** Around the choice of an instance, outermost first: response cache, coalescing, priority queue. Defaults to none. */
  readonly stages?: readonly FleetStage[];
  /** Of a list of tools that was read, those that may be shown. Defaults to all. */
  readonly screen?: (tools: readonly ToolDescription[]) => readonly ToolDescription[];
  /** The fleet's list of this kind has changed. */
  readonly onListChanged: (fleet: Fleet, kind: ListCapability) => void;
  /** The contents of a resource have changed. */
  readonly onUpdated?: (uri: string) => void;
}

/** Owners whose log level is known; one that was forgotten is set again. */
const maxLogLevels = 10_000;
/** The fleet's pulse: idle instances, leases and queues are looked after so often. */
const tendEveryMs = 1000;

/** Under which name the instances of a caller are leased who has no session, or whose sessions share them. */
export const leaseOfCaller = (caller: string): string => `caller:${caller}`;

/** All instances of one MCP server, and the way to call it. */
export class Fleet {
  readonly name: string;
  readonly server: FleetOptions["server"];
  readonly catalog: Catalog;
  readonly tools: ToolFilter;
  readonly #options: FleetOptions;
  readonly instances: FleetInstances;
  readonly #source: InstanceSource;
  readonly #resilience: Resilience;
  readonly #pipeline: FleetCall;
  readonly #calls: CallCounts;
  readonly #pulse: NodeJS.Timeout;
  #description: ServerDescription | undefined;
  #startupMs: number | undefined;
  #closed = false;
  readonly #subscriptions = new ResourceSubscriptions();
  /** What servers of the session era were told to log, by owner; under "" what all shared instances were. */
  readonly #logLevels = new LRUCache<string, string>({ max: maxLogLevels });

  constructor(options: FleetOptions) {
    const { server, now } = options;
    this.#options = options;
    this.server = server;
    this.name = server.name;
    this.tools = new ToolFilter(server.tools);
    this.catalog = new Catalog({
      screen: options.screen,
      fleet: this.name,
      timeoutMs: server.timeouts.requestMs,
      ask: async (method, params, exchange) => (await this.#source.peek()).request(method, params, exchange),
      now,
      offers: async (kind) => (await this.describe()).capabilities[kind] as Params | undefined,
    });
    const { connector, remote, strategy, random, log, metrics } = options;
    this.instances = new FleetInstances({
      ...{ server, connector, remote, strategy: strategy(random), log, metrics, now, random },
      eventsOf: (instance) => ({
        onNotification: (method, params) => this.#heard(instance, method, params),
        tool: (name) => this.tool(name),
      }),
      onChange: (instance) => this.#changed(instance),
    });
    this.#source = this.instances.source;
    this.#calls = metrics.callsOf(server.name);
    this.#resilience = new Resilience({
      ...options,
      source: this.#source,
      leaseOf: (client) => this.#leaseOf(client),
      tool: (name) => this.catalog.tool(name),
    });
    this.#pipeline = pipelineOf(options.stages ?? [], this.#resilience.call, this);
    this.#pulse = setInterval(() => this.#source.tend(), tendEveryMs).unref();
  }

  /** What the server said of itself; starts an instance when none runs. */
  async describe(): Promise<ServerDescription> {
    if (this.#description === undefined) this.#description = (await this.#source.peek()).description;
    if (this.#description === undefined)
      throw new FleetError("INSTANCE_LOST", `${this.name}: the server ended; call again`);
    return this.#description;
  }

  /** The tools that it shows, by the server's own names. */
  async listTools(): Promise<readonly ToolDescription[]> {
    return (await this.catalog.list("tools")).filter(({ name }) => this.tools.permits(name));
  }

  /** One call for one owner, through all stages. */
  async call(client: FleetClient, method: string, params: Params | undefined, exchange: Exchange): Promise<RpcReply> {
    const { now } = this.#options;
    const began = now();
    exchange.deadline ??= began + exchange.timeoutMs;
    try {
      const reply = await this.#pipeline(client, method, params, exchange);
      this.#calls.ended(method, "error" in reply ? "error" : "ok", now() - began);
      return reply;
    } catch (error) {
      const outcome = error instanceof FleetError ? error.code.toLowerCase() : "internal";
      this.#calls.ended(method, outcome, now() - began);
      throw error;
    }
  }

  /** The server's own description of a tool, hidden or not. */
  async tool(name: string): Promise<ToolDescription | undefined> {
    return (await this.catalog.list("tools")).find((tool) => tool.name === name);
  }

  /** Asks the server to tell when a resource changes; `listener` hears of it until the owner unsubscribes or goes. */
  async subscribe(client: FleetClient, uri: string, listener: ResourceListener): Promise<RpcReply> {
    const reply = await this.#ask(client, "resources/subscribe", { uri });
    if ("result" in reply) this.#subscriptions.add(uri, client, listener);
    return reply;
  }

  async unsubscribe(client: FleetClient, uri: string): Promise<RpcReply> {
    const wanted = this.#subscriptions.remove(uri, client.owner);
    return wanted ? { result: {} } : this.#ask(client, "resources/unsubscribe", { uri });
  }

  /** Asks a server of the session era for log lines of at least this level; others than the owner's lines may come too. */
  async setLogLevel(client: FleetClient, level: string): Promise<RpcReply> {
    const key = this.#shared ? "" : this.#leaseOf(client);
    if (!wantsMore(level, this.#logLevels.get(key))) return { result: {} };
    const reply = await this.#ask(client, "logging/setLevel", { level });
    if ("result" in reply) this.#logLevels.set(key, level);
    return reply;
  }

  /** Tells the owner's own instance something, if it has one. */
  async notify(client: FleetClient, method: string, params: Params | undefined): Promise<void> {
    const placing = { avoid: undefined, place: undefined, remainingMs: this.server.timeouts.connectMs };
    (await this.#source.acquire(this.#leaseOf(client), placing)).notify(method, params);
  }

  /** Does it keep something for this owner alone? */
  holds(owner: string): boolean {
    const { isolation } = this.server;
    return isolation === "session" || this.#logLevels.has(owner) || this.#subscriptions.of(owner).length > 0;
  }

  /** The owner has gone. What it shares with other sessions of its caller stays until it is idle. */
  async release(owner: string): Promise<void> {
    this.#logLevels.delete(owner);
    for (const { uri, client } of this.#subscriptions.of(owner)) {
      const wanted = this.#subscriptions.remove(uri, owner);
      if (!wanted && this.server.isolation !== "session") {
        void this.#ask(client, "resources/unsubscribe", { uri }).catch(() => {});
      }
    }
    await this.#source.release(owner);
  }

  status(): FleetStatus {
    const { instances, waiting } = this.#source;
    // An open session says nothing of an instance that has ended or hangs since.
    const ready = instances.filter(
      ({ state, backend }) => state === "ready" && backend.ready && !backend.unhealthy,
    ).length;
    const lastError = instances.findLast((instance) => instance.lastError !== undefined)?.lastError;
    const reason = lastError?.message ?? instances.find(({ backend }) => backend.unhealthy)?.backend.reason;
    const health = this.#health(ready, instances.length, reason);
    return {
      name: this.name,
      type: this.server.type,
      version: this.server.version ?? this.#description?.serverInfo.version ?? "unknown",
      isolation: this.server.isolation,
      source: this.#options.connector?.source ?? this.#options.remote?.source ?? "",
      instances: { ready, total: instances.length, max: this.server.scaling.maxInstances },
      inFlight: instances.reduce((sum, { inFlight }) => sum + inFlight, 0),
      waiting: waiting + this.#resilience.waiting,
      restarts: instances.reduce((sum, { restarts }) => sum + restarts, 0),
      health,
      tools: this.catalog.toolCount ?? null,
      startupMs: this.#startupMs ?? null,
      ...(health === "failed" && reason !== undefined ? { error: reason } : {}),
    };
  }

  /** How full it is when metrics are scraped, and what waits: the fullest of its instances, connections and calls under way counts. */
  pressure(): { readonly utilization: number; readonly waiting: number } {
    let [busy, max, waiting] = [0, 0, 0];
    for (const { connector } of this.#source.backends) {
      const { connections } = connector;
      if (connections === undefined) continue;
      busy += connections.busy;
      max += connections.max;
      waiting += connections.waiting;
    }
    const instances = this.#source.instances.length / this.server.scaling.maxInstances;
    const connections = max === 0 ? 0 : busy / max;
    return { utilization: Math.max(instances, connections, this.#resilience.utilization), waiting };
  }

  /** How near its bounds are. */
  bounds(): readonly Bound[] {
    let [busy, max] = [0, 0];
    for (const { connector } of this.#source.backends) {
      busy += connector.connections?.busy ?? 0;
      max += connector.connections?.max ?? 0;
    }
    const { instances, waiting } = this.#source;
    const { maxInstances } = this.server.scaling;
    return [
      { name: "instances", whenFull: "wait", use: () => ({ size: instances.length, max: maxInstances }) },
      {
        name: "instance_queue",
        whenFull: "refuse",
        use: () => ({ size: waiting, max: maxInstances * queuePerInstance }),
      },
      { name: "upstream_connections", whenFull: "wait", use: () => ({ size: busy, max }) },
      ...this.#resilience.bounds(),
    ];
  }

  /** `lost` says why an instance does not serve, if one does not. */
  #health(ready: number, total: number, lost: string | undefined): FleetHealth {
    // While a spare instance starts, one that has served before and has lost none is as good as ready.
    if (ready > 0 || (total > 0 && this.#description !== undefined && lost === undefined)) return "ready";
    if (total === 0) return "idle";
    return lost === undefined ? "starting" : "failed";
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#pulse);
    await this.instances.close();
  }

  get #shared(): boolean {
    return this.server.isolation === "shared";
  }

  /** Under which name its instance is leased. */
  #leaseOf({ owner, caller, lease = owner }: FleetClient): string {
    return this.server.isolation === "caller" && caller !== undefined ? leaseOfCaller(caller) : lease;
  }

  /** A request of the gateway's own, for a client. */
  #ask(client: FleetClient, method: string, params: Params): Promise<RpcReply> {
    return this.call(client, method, params, new Exchange(this.server.timeouts.requestMs));
  }

  #changed(instance: Instance): void {
    if (this.#closed) return;
    if (instance.state === "ready" && instance.description !== undefined) {
      const { name, version } = instance.description.serverInfo;
      const before = this.#description?.serverInfo;
      this.#description = instance.description;
      this.#startupMs = Math.min(this.#startupMs ?? Number.POSITIVE_INFINITY, instance.startupMs ?? 0);
      if (this.catalog.toolCount === undefined) void this.listTools().catch(() => {});
      if (this.#shared) this.#resume();
      if (before !== undefined && (before.name !== name || before.version !== version)) {
        this.catalog.invalidate();
        for (const kind of ["tools", "prompts", "resources"] as const) this.#options.onListChanged(this, kind);
      }
    }
    // A lease that was lost is looked after at once, not at the next pulse.
    if (instance.state === "ended") queueMicrotask(() => this.#source?.tend());
  }

  /** An instance that came up knows nothing of what others were asked for. */
  #resume(): void {
    for (const { uri, client } of this.#subscriptions.all()) {
      void this.#ask(client, "resources/subscribe", { uri }).catch(() => {});
    }
    const level = this.#logLevels.get("");
    if (level !== undefined)
      void this.#ask({ owner: "", caller: undefined }, "logging/setLevel", { level }).catch(() => {});
  }

  #heard(instance: Instance, method: string, params: Params | undefined): void {
    if (method === "notifications/resources/updated") {
      const lease = this.#source.ownerOf(instance);
      if (typeof params?.uri === "string") this.#options.onUpdated?.(params.uri);
      this.#subscriptions.updated(params ?? {}, (client) => lease === undefined || lease === this.#leaseOf(client));
      return;
    }
    const kind = /^notifications\/(tools|prompts|resources)\/list_changed$/.exec(method)?.[1];
    if (kind === undefined) return;
    this.catalog.invalidate(kind as ListCapability);
    this.#options.onListChanged(this, kind as ListCapability);
  }
}
