import { AggregatorRegistry, Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";
import type { Priority } from "../protocol/priority.ts";
import { Bounds } from "./bounds.ts";
import { type CallCounts, CallMetrics } from "./call-metrics.ts";
import { HistogramSeries, registerHistogram } from "./histogram-series.ts";
import { type CountedFleet, PerformanceMetrics } from "./performance-metrics.ts";

/** What a fleet reports when metrics are scraped. */
export interface FleetGauges extends CountedFleet {
  readonly name: string;
  /** 1 serves, 0 does not. */
  readonly health: number;
  /** The fullest of its instances, connections and calls under way, over what there may be, 0 to 1. */
  readonly utilization: number;
  readonly inFlight: number;
  readonly waiting: number;
  readonly restarts: number;
  /** When the gateway's client certificate for it ends, in seconds since the epoch; undefined without one. */
  readonly certificateEnds?: number | undefined;
}

/** Client sessions held in memory. */
export interface SessionGauges {
  readonly live: number;
  readonly max: number;
}

/** One metric in prom-client's JSON. */
export interface MetricSamples {
  readonly name: string;
  readonly values: readonly {
    readonly value: number;
    readonly labels: Readonly<Record<string, string | number>>;
    /** Of a histogram, what the value is: `<name>_bucket`, `<name>_sum`, `<name>_count`. */
    readonly metricName?: string;
  }[];
}

const batchBuckets = [1, 2, 5, 10, 20, 50, 100];

/** The gateway's own Prometheus registry. Names are those of the specification; durations are in milliseconds. */
export class Metrics {
  /** How near every bound is. */
  readonly bounds: Bounds;
  readonly #registry = new Registry();
  readonly #calls: CallMetrics;
  readonly #batchSize = new HistogramSeries(batchBuckets);
  readonly #repeated: Counter<"server" | "kind">;
  readonly #changes: Counter<"server" | "outcome">;
  readonly #reload: Gauge;
  readonly #shed: Counter<"server">;
  readonly #events: Counter<"server" | "event">;
  readonly #overLimit: Counter<"server" | "limit">;
  readonly #tokens: Counter<"server" | "grant" | "outcome">;
  readonly #certificates = new Map<string, () => number>();
  readonly #performance: PerformanceMetrics;
  readonly #others: (() => Promise<readonly object[]>) | undefined;

  /** `others` are the metrics of the gateway's other processes, which are summed; by default there are none. */
  constructor(
    fleets: () => readonly FleetGauges[],
    sessions: () => SessionGauges,
    others?: () => Promise<readonly object[]>,
  ) {
    this.#others = others;
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry });
    this.bounds = new Bounds(this.#registry);
    this.#performance = new PerformanceMetrics(this.#registry, fleets);
    this.#calls = new CallMetrics(this.#registry, fleets);
    registerHistogram(
      this.#registry,
      { name: "mcp_batch_size", help: "JSON-RPC messages in one request body." },
      () => [[{}, this.#batchSize]],
    );
    this.#repeated = new Counter({
      name: "mcp_call_repeats_total",
      help: "Attempts beyond the first one of a call: retry, hedge, fallback.",
      labelNames: ["server", "kind"],
      registers,
    });
    this.#changes = new Counter({
      name: "mcp_server_changes_total",
      help: "Changes of servers, by outcome: applied, or refused because the changed server was not ready.",
      labelNames: ["server", "outcome"],
      registers,
    });
    this.#reload = new Gauge({
      name: "mcp_config_last_reload_successful",
      help: "1 when the configuration in force is the one in the file, 0 when the file is wrong.",
      aggregator: "min",
      registers,
    });
    this.#reload.set(1);
    this.#shed = new Counter({
      name: "mcp_calls_shed_total",
      help: "Calls refused because the server's calls in flight and its queue were full.",
      labelNames: ["server"],
      registers,
    });
    this.#events = new Counter({
      name: "mcp_instance_events_total",
      help: "What happened to instances: ready, lost, unhealthy, ejected, returned, circuit-open, and more.",
      labelNames: ["server", "event"],
      registers,
    });
    this.#overLimit = new Counter({
      name: "mcp_instance_over_limit_total",
      help: "Processes ended because they used more than a limit of their server allows.",
      labelNames: ["server", "limit"],
      registers,
    });
    this.#tokens = new Counter({
      name: "mcp_upstream_token_requests_total",
      help: "Access tokens asked for at authorization servers, by outcome: ok or error.",
      labelNames: ["server", "grant", "outcome"],
      registers,
    });
    const gauge = (
      name: string,
      help: string,
      read: (fleet: FleetGauges) => number,
      aggregator: "sum" | "max" | "average" = "sum",
    ) =>
      new Gauge({
        name,
        help,
        aggregator,
        labelNames: ["server"],
        registers,
        collect() {
          this.reset();
          for (const fleet of fleets()) this.set({ server: fleet.name }, read(fleet));
        },
      });
    gauge("mcp_server_health_status", "1 when at least one instance serves, else 0.", ({ health }) => health, "max");
    gauge(
      "mcp_connection_pool_utilization",
      "The fullest of instances over maxInstances, busy HTTP connections over pool.maxConnections, and calls in flight over concurrency.maxInFlight, 0 to 1.",
      ({ utilization }) => utilization,
      "average",
    );
    gauge("mcp_server_in_flight", "Calls that wait for the server's answer.", ({ inFlight }) => inFlight);
    gauge(
      "mcp_server_waiting",
      "Callers that wait for an instance, a connection or a place.",
      ({ waiting }) => waiting,
    );
    gauge("mcp_server_restarts", "Starts after a loss, over the instances that exist.", ({ restarts }) => restarts);
    const certificates = this.#certificates;
    new Gauge({
      name: "mcp_certificate_expiry_seconds",
      help: "When the certificate of a listener (http), or the one for a server (servers.<name>), ends, in seconds since the epoch.",
      aggregator: "min",
      labelNames: ["listener"],
      registers,
      collect() {
        this.reset();
        for (const [listener, ends] of certificates) this.set({ listener }, ends());
        for (const { name, certificateEnds } of fleets()) {
          if (certificateEnds !== undefined) this.set({ listener: `servers.${name}` }, certificateEnds);
        }
      },
    });
    const sessionGauge = (name: string, help: string, read: (gauges: SessionGauges) => number) =>
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(read(sessions()));
        },
      });
    sessionGauge("mcp_sessions", "Client sessions held in memory.", ({ live }) => live);
    sessionGauge("mcp_sessions_max", "Bound of mcp_sessions.", ({ max }) => max);
  }

  /** For the metrics of others on the same page. */
  get registry(): Registry {
    return this.#registry;
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Where the calls of one server are counted. */
  callsOf(server: string): CallCounts {
    return this.#calls.of(server);
  }

  /** Counts the messages of one request body. */
  bodyReceived(messages: number): void {
    this.#batchSize.observe(messages);
  }

  /** Counts the requests of one batch that went to a server. */
  batchSent(server: string, size: number): void {
    this.#performance.batchSent(server, size);
  }

  /** Counts one call that has begun after waiting in its fleet's queue. */
  queued(server: string, priority: Priority, ms: number): void {
    this.#performance.queued(server, priority, ms);
  }

  /** Counts one more attempt of a call. */
  callRepeated(server: string, kind: "retry" | "hedge" | "fallback"): void {
    this.#repeated.inc({ server, kind });
  }

  /** Notes whether the last change of the configuration is in force. */
  reloaded(successful: boolean): void {
    this.#reload.set(successful ? 1 : 0);
  }

  /** Counts a change of a server. */
  serverChanged(server: string, outcome: "applied" | "refused"): void {
    this.#changes.inc({ server, outcome });
  }

  /** Counts a call that was refused because there were too many. */
  callShed(server: string): void {
    this.#shed.inc({ server });
  }

  /** Counts a change of an instance's state. */
  instanceEvent(server: string, event: string): void {
    this.#events.inc({ server, event });
  }

  /** Counts a process that was ended for one of its limits. */
  overLimit(server: string, limit: string): void {
    this.#overLimit.inc({ server, limit });
  }

  /** Counts one request for an access token. */
  tokenRequested(server: string, grant: string, outcome: "ok" | "error"): void {
    this.#tokens.inc({ server, grant, outcome });
  }

  /** Adds a gauge whose values are read when metrics are scraped. */
  gaugeByServer(name: string, help: string, read: () => readonly (readonly [server: string, value: number])[]): void {
    new Gauge({
      ...{ name, help },
      labelNames: ["server"],
      registers: [this.#registry],
      collect() {
        this.reset();
        for (const [server, value] of read()) this.set({ server }, value);
      },
    });
  }

  /** Tells when a listener's certificate ends, read when metrics are scraped. */
  certificate(listener: string, read: () => number): void {
    this.#certificates.set(listener, read);
  }

  /** This process's metrics for another one. */
  json(): Promise<object[]> {
    return this.#registry.getMetricsAsJSON() as Promise<object[]>;
  }

  /** The text of one scrape, over all processes of the gateway. */
  async text(): Promise<string> {
    return (await this.#whole()).metrics();
  }

  /** What a scrape has, in prom-client's JSON. */
  async samples(): Promise<readonly MetricSamples[]> {
    return (await (await this.#whole()).getMetricsAsJSON()) as unknown as MetricSamples[];
  }

  async #whole(): Promise<Registry> {
    if (this.#others === undefined) return this.#registry;
    return AggregatorRegistry.aggregate([await this.json(), ...(await this.#others())]);
  }
}
