import { AggregatorRegistry, Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { Priority } from "../protocol/priority.ts";
import { type CountedFleet, PerformanceMetrics } from "./performance-metrics.ts";

/** What a fleet reports when metrics are scraped. */
export interface FleetGauges extends CountedFleet {
  readonly name: string;
  /** 1 serves, 0 does not. */
  readonly health: number;
  /** Share of the instances that may exist which do, 0 to 1. */
  readonly utilization: number;
  readonly inFlight: number;
  readonly waiting: number;
  readonly restarts: number;
}

/** Client sessions held in memory. */
export interface SessionGauges {
  readonly live: number;
  readonly max: number;
}

const durationBuckets = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000];
/** Outcomes are counted over so many calls for `mcp_error_rate`. */
const errorWindow = 100;
/** Methods that get a label of their own; what clients invent is `other`, so that labels stay few. */
const knownMethods = new Set([
  "initialize",
  "ping",
  "tools/list",
  "tools/call",
  "prompts/list",
  "prompts/get",
  "resources/list",
  "resources/read",
  "resources/templates/list",
  "resources/subscribe",
  "resources/unsubscribe",
  "completion/complete",
  "logging/setLevel",
]);

/** The gateway's own Prometheus registry. Names are those of the specification; durations are in milliseconds. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #duration: Histogram<"server" | "method">;
  readonly #total: Counter<"server" | "method" | "status">;
  readonly #batchSize: Histogram;
  readonly #repeated: Counter<"server" | "kind">;
  readonly #shed: Counter<"server">;
  readonly #events: Counter<"server" | "event">;
  readonly #tokens: Counter<"server" | "grant" | "outcome">;
  readonly #errors = new Map<string, ErrorWindow>();
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
    this.#performance = new PerformanceMetrics(this.#registry, fleets);
    this.#duration = new Histogram({
      name: "mcp_request_duration_ms",
      help: "Time from the choice of an instance to its answer, in milliseconds.",
      labelNames: ["server", "method"],
      buckets: durationBuckets,
      registers,
    });
    this.#total = new Counter({
      name: "mcp_request_total",
      help: "Calls by outcome: ok, error (the server's own), or the gateway's error code.",
      labelNames: ["server", "method", "status"],
      registers,
    });
    this.#batchSize = new Histogram({
      name: "mcp_batch_size",
      help: "JSON-RPC messages in one request body.",
      buckets: [1, 2, 5, 10, 20, 50, 100],
      registers,
    });
    this.#repeated = new Counter({
      name: "mcp_call_repeats_total",
      help: "Attempts beyond the first one of a call: retry, hedge, fallback.",
      labelNames: ["server", "kind"],
      registers,
    });
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
      "Instances over maxInstances, 0 to 1.",
      ({ utilization }) => utilization,
      "average",
    );
    gauge(
      "mcp_error_rate",
      `Share of failures in the last ${errorWindow} calls, 0 to 1.`,
      ({ name }) => this.#errors.get(name)?.rate ?? 0,
      "average",
    );
    gauge("mcp_server_in_flight", "Calls that wait for the server's answer.", ({ inFlight }) => inFlight);
    gauge("mcp_server_waiting", "Callers that wait for an instance.", ({ waiting }) => waiting);
    gauge("mcp_server_restarts", "Starts after a loss, over the instances that exist.", ({ restarts }) => restarts);
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

  /** Counts one call that has ended. */
  requestEnded(server: string, method: string, status: string, ms: number): void {
    const label = knownMethods.has(method) ? method : "other";
    this.#duration.observe({ server, method: label }, ms);
    this.#total.inc({ server, method: label, status });
    let window = this.#errors.get(server);
    if (window === undefined) {
      window = new ErrorWindow();
      this.#errors.set(server, window);
    }
    window.add(status !== "ok");
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

  /** Counts a call that was refused because there were too many. */
  callShed(server: string): void {
    this.#shed.inc({ server });
  }

  /** Counts a change of an instance's state. */
  instanceEvent(server: string, event: string): void {
    this.#events.inc({ server, event });
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

  /** Adds the gauge of when a listener's certificate ends, read when metrics are scraped. */
  certificate(listener: string, read: () => number): void {
    new Gauge({
      name: "mcp_certificate_expiry_seconds",
      help: "When the listener's certificate ends, in seconds since the epoch.",
      aggregator: "min",
      labelNames: ["listener"],
      registers: [this.#registry],
      collect() {
        this.set({ listener }, read());
      },
    });
  }

  /** This process's metrics for another one. */
  json(): Promise<object[]> {
    return this.#registry.getMetricsAsJSON() as Promise<object[]>;
  }

  /** The text of one scrape, over all processes of the gateway. */
  async text(): Promise<string> {
    if (this.#others === undefined) return this.#registry.metrics();
    return AggregatorRegistry.aggregate([await this.json(), ...(await this.#others())]).metrics();
  }
}

/** The last outcomes in a ring. */
class ErrorWindow {
  readonly #ring = new Uint8Array(errorWindow);
  #count = 0;
  #next = 0;
  #failures = 0;

  add(failed: boolean): void {
    this.#failures += Number(failed) - (this.#ring[this.#next] ?? 0);
    this.#ring[this.#next] = Number(failed);
    this.#next = (this.#next + 1) % errorWindow;
    this.#count = Math.min(this.#count + 1, errorWindow);
  }

  get rate(): number {
    return this.#count === 0 ? 0 : this.#failures / this.#count;
  }
}
