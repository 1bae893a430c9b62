import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { PerformanceCounts } from "../performance/index.ts";
import type { Priority } from "../protocol/priority.ts";

/** A fleet and what its performance stages have done; they count by themselves, which is cheaper than a counter here. */
export interface CountedFleet {
  readonly name: string;
  readonly performance?: PerformanceCounts | undefined;
}

const waitBuckets = [1, 5, 10, 50, 100, 500, 1000, 5000, 10_000, 30_000];

/** Cache, coalescing and queue, as they are when metrics are scraped. */
export class PerformanceMetrics {
  readonly #wait: Histogram<"server" | "priority">;
  readonly #sent: Histogram<"server">;

  constructor(registry: Registry, fleets: () => readonly CountedFleet[]) {
    const registers = [registry];
    const labelNames = ["server"] as const;
    const each = (visit: (server: string, counts: PerformanceCounts) => void) => {
      for (const { name, performance } of fleets()) if (performance !== undefined) visit(name, performance);
    };
    new Counter({
      name: "mcp_cache_requests_total",
      help: "Look-ups of calls whose answers may be kept: hit, stale (and being renewed), shared (in Redis), miss.",
      labelNames: ["server", "outcome"],
      registers,
      collect() {
        this.reset();
        each((server, { cache }) => {
          for (const [outcome, count] of Object.entries(cache)) this.inc({ server, outcome }, count);
        });
      },
    });
    new Counter({
      name: "mcp_coalesced_total",
      help: "Calls that were answered by an identical one under way.",
      labelNames,
      registers,
      collect() {
        this.reset();
        each((server, { coalesced }) => this.inc({ server }, coalesced));
      },
    });
    new Counter({
      name: "mcp_cache_shared_failures_total",
      help: "Look-ups and changes that Redis did not take; the gateway went on with its own memory.",
      labelNames,
      registers,
      collect() {
        this.reset();
        each((server, { sharedFailures }) => this.inc({ server }, sharedFailures));
      },
    });
    new Counter({
      name: "mcp_cache_shared_forged_total",
      help: "Values in Redis that no gateway with the same session keys has written; they were not used.",
      labelNames,
      registers,
      collect() {
        this.reset();
        each((server, { sharedForged }) => this.inc({ server }, sharedForged));
      },
    });
    const gauge = (name: string, help: string, read: (counts: PerformanceCounts) => number) =>
      new Gauge({
        ...{ name, help, labelNames, registers },
        collect() {
          this.reset();
          each((server, counts) => this.set({ server }, read(counts)));
        },
      });
    gauge("mcp_cache_bytes", "Memory of kept answers; bound: cache.maxBytes.", ({ cacheBytes }) => cacheBytes);
    gauge("mcp_cache_entries", "Kept answers.", ({ cacheEntries }) => cacheEntries);
    new Gauge({
      name: "mcp_queue_length",
      help: "Calls that wait for queue.concurrency; bound: queue.maxWaiting.",
      labelNames: ["server", "priority"],
      registers,
      collect() {
        this.reset();
        each((server, { queued = {} }) => {
          for (const [priority, length] of Object.entries(queued)) this.set({ server, priority }, length);
        });
      },
    });
    this.#sent = new Histogram({
      name: "mcp_upstream_batch_size",
      help: "Requests of one batch that went to a server.",
      labelNames,
      buckets: [1, 2, 5, 10, 20, 50, 100],
      registers,
    });
    this.#wait = new Histogram({
      name: "mcp_queue_wait_ms",
      help: "Wait of calls that found all places taken, in milliseconds.",
      labelNames: ["server", "priority"],
      buckets: waitBuckets,
      registers,
    });
  }

  /** So many requests went to a server together. */
  batchSent(server: string, size: number): void {
    this.#sent.observe({ server }, size);
  }

  /** A call has begun after waiting so long. */
  queued(server: string, priority: Priority, ms: number): void {
    this.#wait.observe({ server, priority }, ms);
  }
}
