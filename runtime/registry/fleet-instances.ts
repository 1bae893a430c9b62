import type { Logger } from "pino";
import type { ResolvedServer } from "../config/index.ts";
import { shownAddress, shownInstance } from "../config/shown-source.ts";
import type { Metrics } from "../observability/metrics.ts";
import type { Elsewhere } from "../protocol/elsewhere.ts";
import type { Connector, SessionEvents } from "../upstreams/upstream-session.ts";
import type { Fetch } from "../upstreams/upstream-tls.ts";
import { Backend, type BackendEvent, type BackendSpec, type BackendState } from "./backend.ts";
import { Balancer } from "./balancing/balancer.ts";
import type { LoadBalancingStrategy } from "./balancing/strategy.ts";
import type { InstanceDiscovery } from "./discovery/instance-discovery.ts";
import { RegisteredInstances } from "./discovery/registered.ts";
import { HealthMonitor } from "./health/health-monitor.ts";
import type { HostCredentials } from "./health/host-load.ts";
import { Instance } from "./instance.ts";
import type { InstanceSource, LeaseClients } from "./instance-source.ts";
import { LeasedInstances } from "./leased-instances.ts";
import { RemoteInstances } from "./remote-instances.ts";
import { RemoteLeases } from "./remote-leases.ts";
import { resourceNeedOf } from "./resource-need.ts";
import { SharedInstances } from "./shared-instances.ts";

/** Instances that something else runs: how they are found and reached. */
export interface RemoteOptions {
  /** For people: the endpoints, or what is looked up. */
  readonly source: string;
  readonly discoveries: readonly InstanceDiscovery[];
  readonly connect: (address: string) => Connector;
  /** How they are asked over HTTP besides. */
  readonly ask: Fetch;
  /** What lets the gateway in there. Defaults to nothing. */
  readonly credentials?: HostCredentials;
}

export interface FleetInstancesOptions {
  readonly server: ResolvedServer & { readonly isolation: string };
  /** Starts local processes; stands instead of `remote`. */
  readonly connector: Connector | undefined;
  readonly remote: RemoteOptions | undefined;
  readonly strategy: LoadBalancingStrategy;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly now: () => number;
  readonly random: () => number;
  readonly eventsOf: (instance: Instance) => SessionEvents;
  /** Is a client of a lease there now? */
  readonly clients: LeaseClients;
  /** The state of an instance has changed. */
  readonly onChange: (instance: Instance) => void;
}

/** One instance as operators see it. */
export interface InstanceStatus {
  readonly id: string;
  /** Without keys: scheme, host, port, and the well-known part of the path. */
  readonly address: string;
  readonly state: BackendState;
  /** Why it is not ready. */
  readonly reason?: string;
  readonly zone?: string;
  readonly weight: number;
  readonly inFlight: number;
  readonly latencyMs: number | null;
  readonly load?: { readonly cpu: number; readonly memory: number };
}

/** An event and when it was. */
export interface DatedEvent extends BackendEvent {
  readonly at: string;
}

/** Events of one fleet that are kept for operators. */
const keptEvents = 100;

/** The instances of one fleet: makes them, watches over them, and says which one takes a call. */
export class FleetInstances {
  readonly source: InstanceSource;
  /** Where operators register instances; undefined for local processes. */
  readonly registered: RegisteredInstances | undefined;
  readonly #options: FleetInstancesOptions;
  readonly #health: HealthMonitor | undefined;
  readonly #discoveries: readonly InstanceDiscovery[] = [];
  readonly #events: DatedEvent[] = [];
  #lastId = 0;

  constructor(options: FleetInstancesOptions) {
    const { server, remote, strategy, now, random, clients } = options;
    this.#options = options;
    const { loadBalancer, scaling, timeouts } = server;
    const { slowStartMs, stickySession, zone } = loadBalancer;
    const limits = { ...scaling, connectMs: timeouts.connectMs, idleMs: timeouts.idleMs };
    const shared = server.isolation === "shared";
    const balancer = new Balancer({ strategy, slowStartMs, stickySession, zone, now, random });
    if (remote === undefined) {
      const create = () => this.#process();
      this.source = shared
        ? new SharedInstances(server.name, limits, create, balancer, now, resourceNeedOf(server, now))
        : new LeasedInstances(server.name, { ...limits, requestMs: timeouts.requestMs }, create, now, clients);
    } else {
      const instances = new RemoteInstances({
        ...{ fleet: server.name, connectMs: timeouts.connectMs, balancer },
        open: (spec) => this.#remote(spec, remote),
        onRemoved: (backend) => this.#tell({ event: "removed", instance: backend.id }),
      });
      this.source = shared
        ? instances
        : new RemoteLeases(
            server.name,
            limits,
            instances,
            (backend) => this.#session(backend),
            now,
            clients,
            () => this.#health?.stalls.openingMs ?? timeouts.connectMs,
          );
      this.registered = new RegisteredInstances();
      this.#discoveries = [...remote.discoveries, this.registered];
      for (const discovery of this.#discoveries) {
        discovery.start((found) => instances.found(discovery.name, found));
      }
    }
    if (!server.healthCheck.enabled && !server.healthCheck.outlier.enabled && server.retry.attempts === 1) return;
    this.#health = new HealthMonitor({
      ...{ server, now, random, backends: () => this.source.backends },
      ask: remote?.ask ?? fetch,
      credentials: remote?.credentials,
      restart: remote === undefined ? (backend, reason) => this.#restart(backend, reason) : undefined,
    });
  }

  status(): readonly InstanceStatus[] {
    return this.source.backends.map((backend) => {
      const { id, address, state, reason, zone, weight, inFlight, latencyMs, load } = backend;
      return {
        id,
        address: this.registered === undefined ? address : shownAddress(address),
        state,
        weight,
        inFlight,
        latencyMs: latencyMs === undefined ? null : Math.round(latencyMs * 10) / 10,
        ...(reason === undefined || state === "ready" ? {} : { reason }),
        ...(zone === undefined ? {} : { zone }),
        ...(load === undefined ? {} : { load }),
      };
    });
  }

  /** How long one instance may take to answer what another one can answer as well. */
  get patienceMs(): number {
    return this.#health?.stalls.openingMs ?? Number.POSITIVE_INFINITY;
  }

  /** A call that may be repeated was answered after so long. */
  answered(subject: string, ms: number): void {
    this.#health?.stalls.answered(subject, ms);
  }

  /** The latest events, oldest first. */
  get events(): readonly DatedEvent[] {
    return this.#events;
  }

  /** The instance of an id or address. */
  find(id: string): Backend | undefined {
    return this.source.backends.find((backend) => backend.id === id || backend.address === id);
  }

  async close(): Promise<void> {
    this.#health?.close();
    await Promise.all(this.#discoveries.map((discovery) => discovery.close()));
    await this.source.close();
    await this.#options.connector?.close();
  }

  #process(): Instance {
    const { connector, server } = this.#options;
    const id = this.#nextId();
    // A process of one owner's is judged by nobody but its owner.
    const judged = server.isolation === "shared";
    const spec = { address: (connector as Connector).source };
    const backend = this.#backend(id, spec, connector as Connector, judged);
    backend.primary = this.#instance(id, backend, false);
    return backend.primary;
  }

  #remote(spec: BackendSpec, { connect }: RemoteOptions): Backend {
    const backend = this.#backend(shownInstance(spec.address), spec, connect(spec.address), true);
    this.#tell({ event: "added", instance: backend.id });
    backend.primary = this.#instance(this.#nextId(), backend, true);
    return backend;
  }

  #nextId(): string {
    this.#lastId += 1;
    return `${this.#options.server.name}-${this.#lastId}`;
  }

  #backend(id: string, spec: BackendSpec, connector: Connector, judged: boolean): Backend {
    const { circuitBreaker } = this.#options.server;
    return new Backend({
      ...{ id, spec, connector, now: this.#options.now },
      circuit:
        judged && circuitBreaker.enabled ? { ...circuitBreaker, slowCallMs: circuitBreaker.slowCallMs } : undefined,
      onChange: (_backend, event) => {
        if (event !== undefined) this.#tell(event);
        this.source.refresh();
        this.#relieve();
      },
    });
  }

  /** A session of one owner on a remote instance. */
  #session(backend: Backend): Instance {
    const others = this.source.backends.filter((other) => other !== backend && other.usable);
    const elsewhere = others.length === 0 ? undefined : others.some(({ room }) => !room.full) ? "free" : "full";
    backend.room.began();
    return this.#instance(this.#nextId(), backend, true, elsewhere);
  }

  #instance(id: string, backend: Backend, eager: boolean, elsewhere?: Elsewhere): Instance {
    const { log, now, eventsOf } = this.#options;
    const instance: Instance = new Instance({
      ...{ id, backend, log, now, eager },
      events: {
        onNotification: (method, params) => eventsOf(instance).onNotification(method, params),
        tool: (name) => eventsOf(instance).tool?.(name),
        elsewhere,
        heard: () => {
          backend.signs.messages += 1;
        },
      },
      onChange: (changed) => this.#changed(changed),
    });
    return instance;
  }

  #changed(instance: Instance): void {
    const { backend, state, restarts, lastError, gaveUp } = instance;
    if (backend.primary === instance) {
      if (state === "ready") {
        backend.cameUp(restarts > 0);
        if (this.#options.connector !== undefined && this.#options.server.isolation === "shared")
          this.#health?.cameUp(backend);
        this.#tell({ event: "ready", instance: backend.id });
      } else if (state === "backoff") {
        const reason = lastError === undefined ? {} : { reason: lastError.message };
        this.#tell({ event: gaveUp ? "gave-up" : "lost", instance: backend.id, ...reason });
      }
    }
    // One owner's session. A shared instance starts again, or goes with its backend.
    else if (state === "ended") backend.room.ended();
    this.source?.refresh();
    if (state === "ready" && this.source !== undefined) this.#relieve();
    this.#options.onChange(instance);
  }

  /** Takes calls off instances that do not answer, if there is somewhere to go. */
  #relieve(): void {
    const { backends } = this.source;
    if (!backends.some(({ usable }) => usable)) return;
    for (const backend of backends) backend.moveCalls();
  }

  #restart(backend: Backend, reason: string): void {
    this.#tell({ event: "restarted", instance: backend.id, reason });
    backend.primary.restart();
  }

  #tell(event: BackendEvent): void {
    const { log, metrics, server } = this.#options;
    this.#events.push({ ...event, at: new Date().toISOString() });
    if (this.#events.length > keptEvents) this.#events.shift();
    metrics.instanceEvent(server.name, event.event);
    log[quiet.has(event.event) ? "debug" : "warn"]({ ...event }, "instance event");
  }
}

/** What is told elsewhere already, or is no trouble. */
const quiet = new Set<BackendEvent["event"]>(["added", "removed", "ready", "lost", "gave-up"]);
