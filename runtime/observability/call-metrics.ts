import { Counter, Gauge, type Registry } from "prom-client";
import { HistogramSeries, registerHistogram } from "./histogram-series.ts";

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

/** Duration and outcome of calls, by server and method. */
export class CallMetrics {
  readonly #servers = new Map<string, CallCounts>();

  constructor(registry: Registry, fleets: () => readonly { readonly name: string }[]) {
    const servers = this.#servers;
    const registers = [registry];
    registerHistogram(
      registry,
      {
        name: "mcp_request_duration_ms",
        help: "Time from the choice of an instance to its answer, in milliseconds.",
      },
      () => [...servers].flatMap(([server, counts]) => counts.durations(server)),
    );
    new Counter({
      name: "mcp_request_total",
      help: "Calls by outcome: ok, error (the server's own), or the gateway's error code.",
      labelNames: ["server", "method", "status"],
      registers,
      collect() {
        this.reset();
        for (const [server, counts] of servers) {
          for (const { method, status, calls } of counts.outcomes()) this.inc({ server, method, status }, calls);
        }
      },
    });
    new Gauge({
      name: "mcp_error_rate",
      help: `Share of failures in the last ${errorWindow} calls, 0 to 1.`,
      aggregator: "average",
      labelNames: ["server"],
      registers,
      collect() {
        this.reset();
        for (const { name } of fleets()) this.set({ server: name }, servers.get(name)?.errorRate ?? 0);
      },
    });
  }

  /** The counts of one server, for who calls it; the same ones when it is asked for again. */
  of(server: string): CallCounts {
    let counts = this.#servers.get(server);
    if (counts === undefined) {
      counts = new CallCounts();
      this.#servers.set(server, counts);
    }
    return counts;
  }
}

/** What became of the calls of one server. */
export class CallCounts {
  readonly #methods = new Map<string, { readonly duration: HistogramSeries; readonly outcomes: Map<string, number> }>();
  readonly #recent = new Uint8Array(errorWindow);
  #known = 0;
  #next = 0;
  #failures = 0;

  /** Counts one call that has ended after `ms` milliseconds. */
  ended(method: string, status: string, ms: number): void {
    const label = knownMethods.has(method) ? method : "other";
    let counts = this.#methods.get(label);
    if (counts === undefined) {
      counts = { duration: new HistogramSeries(durationBuckets), outcomes: new Map() };
      this.#methods.set(label, counts);
    }
    counts.duration.observe(ms);
    counts.outcomes.set(status, (counts.outcomes.get(status) ?? 0) + 1);
    const failed = Number(status !== "ok");
    this.#failures += failed - (this.#recent[this.#next] as number);
    this.#recent[this.#next] = failed;
    this.#next = (this.#next + 1) % errorWindow;
    this.#known = Math.min(this.#known + 1, errorWindow);
  }

  /** Share of failures in the last calls, 0 to 1. */
  get errorRate(): number {
    return this.#known === 0 ? 0 : this.#failures / this.#known;
  }

  durations(server: string): (readonly [{ server: string; method: string }, HistogramSeries])[] {
    return [...this.#methods].map(([method, { duration }]) => [{ server, method }, duration]);
  }

  *outcomes(): Iterable<{ readonly method: string; readonly status: string; readonly calls: number }> {
    for (const [method, { outcomes }] of this.#methods) {
      for (const [status, calls] of outcomes) yield { method, status, calls };
    }
  }
}
