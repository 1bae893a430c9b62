import { FleetError } from "../errors.ts";
import type { Bound } from "../observability/bounds.ts";
import type { CallCounts } from "../observability/call-metrics.ts";
import { Exchange } from "../protocol/exchange.ts";
import type { Params, RpcReply } from "../protocol/json-rpc.ts";
import { wantsMore } from "../protocol/log-levels.ts";
import type { TaskIds } from "../protocol/task-ids.ts";
import { wantedMethod } from "../protocol/wanted.ts";
import { isNamed } from "../security/principal.ts";
import type { ServerDescription } from "../upstreams/upstream-session.ts";
import { askOneOf } from "./ask-one-of.ts";
import { CallGate } from "./call-gate.ts";
import { Catalog, type ListCapability, type ToolDescription } from "./catalog.ts";
import { type FleetCall, pipelineOf } from "./fleet-call.ts";
import type { FleetClient } from "./fleet-client.ts";
import { FleetInstances } from "./fleet-instances.ts";
import type { FleetOptions } from "./fleet-options.ts";
import { type FleetStatus, fleetStatus } from "./fleet-status.ts";
import { type Generation, Generations } from "./generations.ts";
import type { Instance } from "./instance.ts";
import { connectionsOf, instanceBounds } from "./instance-bounds.ts";
import type { InstanceSource, Placing } from "./instance-source.ts";
import { OwnLists } from "./own-lists.ts";
import { Resilience } from "./resilience/resilience.ts";
import { maxOfFleet, type ResourceListener, ResourceSubscriptions } from "./resource-subscriptions.ts";
import { ToolFilter } from "./tool-filter.ts";

export type { FleetClient } from "./fleet-client.ts";

export type { FleetOptions } from "./fleet-options.ts";

/** The fleet's pulse: idle instances, leases and queues are looked after so often. */
const tendEveryMs = 1000;

/** Where an owner's own instance is looked for. */
const anywhere: Placing = Object.freeze({ avoid: undefined, place: undefined, remainingMs: 0 });

/** Under which name the instances of a caller are leased who has no session, or whose sessions share them. */
export const leaseOfCaller = (caller: string): string => `caller:${caller}`;

/** All instances of one MCP server, and the way to call it. */
export class Fleet implements Generation {
  readonly name: string;
  readonly server: FleetOptions["server"];
  /** What it offers, as an instance without any owner's state says. */
  readonly catalog: Catalog;
  readonly tools: ToolFilter;
  /** What may be called at all, whichever way a call comes. */
  readonly gate: CallGate;
  readonly taskIds: TaskIds | undefined;
  readonly #options: FleetOptions;
  readonly #ownLists: OwnLists;
  readonly instances: FleetInstances;
  readonly generations: Generations<Fleet> = new Generations<Fleet>(this);
  /** Why the last change of its server is not in force; undefined when all are. */
  refused: string | undefined;
  readonly #source: InstanceSource;
  readonly #resilience: Resilience;
  readonly #pipeline: FleetCall;
  readonly #calls: CallCounts;
  readonly #pulse: NodeJS.Timeout;
  #description: ServerDescription | undefined;
  #startupMs: number | undefined;
  #closed = false;
  /** Its clients go on with the fleet after it. */
  #retired = false;
  readonly #subscriptions = new ResourceSubscriptions();
  readonly #shared: boolean;
  /** What all shared instances of the session era were told to log. */
  #sharedLevel: string | undefined;
  /** What an instance that one owner has to itself was told to log; another instance of that owner's knows nothing of it. */
  readonly #ownLevels = new WeakMap<Instance, string>();

  constructor(options: FleetOptions) {
    const { server, now } = options;
    this.#options = options;
    this.server = server;
    this.name = server.name;
    this.#shared = server.isolation === "shared";
    this.tools = new ToolFilter(server.tools);
    const lists = {
      fleet: this.name,
      log: options.log,
      timeoutMs: server.timeouts.requestMs,
      now,
      offers: async (kind: ListCapability) => (await this.describe()).capabilities[kind] as Params | undefined,
    };
    this.gate = new CallGate(this.tools, server.methods.allow);
    this.taskIds = options.taskIds;
    this.catalog = new Catalog({
      ...lists,
      screen: options.screen,
      ask: (method, params, exchange) => askOneOf(this.instances, method, params, exchange),
    });
    this.#ownLists = new OwnLists({ ...lists, screen: options.screenOwn });
    const { connector, remote, strategy, random, log, metrics } = options;
    this.instances = new FleetInstances({
      ...{ server, connector, remote, strategy: strategy(random), log, metrics, now, random },
      eventsOf: (instance) => ({
        onNotification: (method, params) => this.#heard(instance, method, params),
        tool: (name) => (this.catalog.hasTools ? this.catalog.tool(name) : this.tool(name)),
      }),
      onChange: (instance) => this.#changed(instance),
      clients: {
        attached: (lease, { caller, attached = false }) =>
          attached ||
          (caller !== undefined &&
            lease === leaseOfCaller(caller) &&
            options.callerAttached?.(caller, isNamed(caller)) === true),
        giveUpParked: (backends) => options.giveUpParked?.(backends) === true,
      },
    });
    this.#source = this.instances.source;
    this.#calls = metrics.callsOf(server.name);
    this.#resilience = new Resilience({
      ...options,
      source: this.#source,
      remote: remote !== undefined,
      leaseOf: (client) => this.#leaseOf(client),
      tool: (name) => this.catalog.tool(name),
      onAnswered: (subject, ms) => this.instances.answered(subject, ms),
    });
    this.#pipeline = pipelineOf(options.stages ?? [], this.#resilience.call, this);
    this.#pulse = setInterval(() => this.#source.tend(), tendEveryMs).unref();
  }

  /** What the server said of itself the last time it was asked; undefined before. */
  get description(): ServerDescription | undefined {
    return this.#description;
  }

  /** What the server said of itself; starts an instance when none runs. */
  async describe(): Promise<ServerDescription> {
    this.#description ??= (await this.#source.peek()).description;
    if (this.#description !== undefined) return this.#description;
    throw new FleetError("INSTANCE_LOST", `${this.name}: the server ended; call again`);
  }

  keeps(client: FleetClient): boolean {
    return !this.#retired && this.#source.keeps(this.#leaseOf(client));
  }

  get kept(): number {
    return this.#retired ? 0 : this.#source.kept;
  }

  /** Serves in place of another one. Clients with instances of their own there stay with it until it is retired. */
  succeed(elder: Fleet): void {
    this.generations.follow(elder.generations);
    this.#sharedLevel ??= elder.#sharedLevel;
    this.#takeSubscriptions(elder);
    if (this.#shared) this.#resume();
  }

  /** Its clients go on with the fleet that has taken its place; calls in flight come to their end. */
  retire(): void {
    this.#retired = true;
    const { latest } = this.generations;
    if (latest !== this) latest.#takeSubscriptions(this);
  }

  #takeSubscriptions(elder: Fleet): void {
    for (const { uri, client } of this.#subscriptions.takeFrom(elder.#subscriptions, (one) => !elder.keeps(one))) {
      if (!this.#shared) void this.#ask(client, "resources/subscribe", { uri }).catch(() => {});
    }
  }

  /** What a client is offered: by its own instance where it has one to itself, else what everybody is. */
  catalogFor(client: FleetClient | undefined): Catalog {
    const keeper = client && this.generations.keeperOf(client);
    if (keeper !== undefined) return keeper.catalogFor(client);
    const own = client && this.#ownInstance(client);
    return own === undefined ? this.catalog : this.#ownLists.of(own);
  }

  /** The tools that it shows to a client, by the server's own names; without one those that everybody is shown. */
  async listTools(client?: FleetClient): Promise<readonly ToolDescription[]> {
    return (await this.catalogFor(client).list("tools")).filter(({ name }) => this.tools.permits(name));
  }

  /** One call for one owner, through all stages. `tool`: the one that made the task which the call is about. */
  async call(
    client: FleetClient,
    method: string,
    params: Params | undefined,
    exchange: Exchange,
    tool?: string,
  ): Promise<RpcReply> {
    this.gate.check(method, params, tool);
    const keeper = this.generations.keeperOf(client);
    if (keeper !== undefined) return keeper.call(client, method, params, exchange, tool);
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
    const keeper = this.generations.keeperOf(client);
    if (keeper !== undefined) return keeper.subscribe(client, uri, listener);
    // Before the server is asked, so that many at once stay within their bound too.
    const isNew = this.#subscriptions.add(uri, client, listener);
    let done = false;
    try {
      const reply = await this.#ask(client, "resources/subscribe", { uri });
      done = "result" in reply;
      return reply;
    } finally {
      if (isNew && !done) this.#subscriptions.remove(uri, client.owner);
    }
  }

  async unsubscribe(client: FleetClient, uri: string): Promise<RpcReply> {
    const keeper = this.generations.keeperOf(client);
    if (keeper !== undefined) return keeper.unsubscribe(client, uri);
    if (this.#subscriptions.remove(uri, client.owner)) return { result: {} };
    return this.#ask(client, "resources/unsubscribe", { uri });
  }

  /** Asks a server of the session era for log lines of at least this level; others than the owner's lines may come too. */
  async setLogLevel(client: FleetClient, level: string): Promise<RpcReply> {
    const keeper = this.generations.keeperOf(client);
    if (keeper !== undefined) return keeper.setLogLevel(client, level);
    const before = this.#ownInstance(client);
    if (!wantsMore(level, before === undefined ? this.#sharedLevel : this.#ownLevels.get(before)))
      return { result: {} };
    const reply = await this.#ask(client, "logging/setLevel", { level });
    if (!("result" in reply)) return reply;
    const own = this.#ownInstance(client);
    if (own !== undefined) this.#ownLevels.set(own, level);
    else if (this.#shared) this.#sharedLevel = level;
    return reply;
  }

  /** Tells the owner's own instance something, if it has one. */
  async notify(client: FleetClient, method: string, params: Params | undefined): Promise<void> {
    const keeper = this.generations.keeperOf(client);
    if (keeper !== undefined) return keeper.notify(client, method, params);
    const placing = { avoid: undefined, place: undefined, remainingMs: this.server.timeouts.connectMs };
    (await this.#source.acquire(this.#leaseOf(client), placing, client)).notify(method, params);
  }

  /** Does it keep something for this owner alone? */
  holds(owner: string): boolean {
    if (this.server.isolation === "session" || this.#subscriptions.of(owner).length > 0) return true;
    if (this.generations.elders.some((elder) => elder.holds(owner))) return true;
    // A session of a caller without a name.
    return this.server.isolation === "caller" && this.#source.pick(owner, anywhere) !== undefined;
  }

  /** The owner has gone. What it shares with other sessions of its caller stays until it is idle. */
  async release(owner: string): Promise<void> {
    for (const elder of this.generations.elders) void elder.release(owner);
    for (const { uri, client } of this.#subscriptions.of(owner)) {
      if (this.#subscriptions.remove(uri, owner)) continue;
      // An instance of the owner's alone goes with it.
      if (!this.#shared && this.#leaseOf(client) === owner) continue;
      void this.#ask(client, "resources/unsubscribe", { uri }).catch(() => {});
    }
    await this.#source.release(owner);
  }

  /** Calls that its instances work on. */
  get inFlight(): number {
    return this.#source.instances.reduce((sum, { inFlight }) => sum + inFlight, 0);
  }

  status(): FleetStatus {
    return fleetStatus(this, {
      source: this.#source,
      origin: this.#options.connector?.source ?? this.#options.remote?.source ?? "",
      description: this.#description,
      startupMs: this.#startupMs,
      waiting: this.#resilience.waiting,
    });
  }

  /** How full it is when metrics are scraped, and what waits: the fullest of its instances, connections and calls under way counts. */
  pressure(): { readonly utilization: number; readonly waiting: number } {
    const { busy, max, waiting } = connectionsOf(this.#source.backends);
    const instances = this.#source.instances.length / this.server.scaling.maxInstances;
    const connections = max === 0 ? 0 : busy / max;
    return { utilization: Math.max(instances, connections, this.#resilience.utilization), waiting };
  }

  /** How near its bounds are. */
  bounds(): readonly Bound[] {
    return [
      ...instanceBounds(this.#source, this.server.scaling.maxInstances),
      { name: "lists", whenFull: "refuse", use: () => ({ size: this.catalog.utilization, max: 1 }) },
      {
        name: "resource_subscriptions",
        whenFull: "refuse",
        use: () => ({ size: this.#subscriptions.size, max: maxOfFleet }),
      },
      ...this.#resilience.bounds(),
    ];
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#pulse);
    await this.instances.close();
  }

  /** The instance that a client has to itself, if it has one that is ready. */
  #ownInstance(client: FleetClient): Instance | undefined {
    const own = this.#shared ? undefined : this.#source.pick(this.#leaseOf(client), anywhere);
    return own?.owned ? own : undefined;
  }

  /** Under which name its instance is leased. Callers without a name are told apart by their sessions. */
  #leaseOf({ owner, caller, lease = owner }: FleetClient): string {
    const named = this.server.isolation === "caller" && caller !== undefined && isNamed(caller);
    return named ? leaseOfCaller(caller) : lease;
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
      const unowned = this.#source.ownerOf(instance) === undefined;
      if (this.catalog.toolCount === undefined && unowned) void this.listTools().catch(() => {});
      if (this.#shared) this.#resume();
      if (before !== undefined && (before.name !== name || before.version !== version)) {
        this.catalog.invalidate();
        for (const kind of ["tools", "prompts", "resources"] as const) this.#options.onListChanged(this, kind);
      }
    }
    // What was subscribed to there is asked of those that are left.
    if (instance.state === "ended" && this.#shared && this.#source.instances.length > 0) this.#resume();
    // A lease that was lost is looked after at once, not at the next pulse.
    if (instance.state === "ended") queueMicrotask(() => this.#source?.tend());
  }

  /** An instance that came up knows nothing of what others were asked for. */
  #resume(): void {
    for (const { uri, client } of this.#subscriptions.all()) {
      void this.#ask(client, "resources/subscribe", { uri }).catch(() => {});
    }
    const level = this.#sharedLevel;
    if (level !== undefined)
      void this.#ask({ owner: "", caller: undefined }, "logging/setLevel", { level }).catch(() => {});
  }

  #heard(instance: Instance, method: string, params: Params | undefined): void {
    if (method === wantedMethod) {
      this.#source.wanted?.(instance);
      return;
    }
    if (method === "notifications/resources/updated") {
      const lease = this.#source.ownerOf(instance);
      if (typeof params?.uri === "string") this.#options.onUpdated?.(params.uri);
      this.#subscriptions.updated(params ?? {}, (client) => lease === undefined || lease === this.#leaseOf(client));
      return;
    }
    const kind = /^notifications\/(tools|prompts|resources)\/list_changed$/.exec(method)?.[1];
    if (kind === undefined) return;
    // What one owner has changed is shown to nobody else.
    if (this.#source.ownerOf(instance) === undefined) this.catalog.invalidate(kind as ListCapability);
    else this.#ownLists.changed(instance, kind as ListCapability);
    this.#options.onListChanged(this, kind as ListCapability);
  }
}
