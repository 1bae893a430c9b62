import type { FleetStatus } from "../../registry/fleet-status.ts";
import type { MetricSamples } from "../metrics.ts";

/** One server as the page shows it; counts are since the gateway's start. */
export interface ServerView extends FleetStatus {
  readonly calls: number;
  /** Calls that did not end in a server's result. */
  readonly failed: number;
  /** Answers in at most so many milliseconds, rising; `null` stands for no bound. */
  readonly durations: readonly (readonly [ms: number | null, answers: number])[];
}

/** What the page asks for every few seconds. */
export interface DashboardView {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly version: string;
  readonly sessions: number;
  readonly servers: readonly ServerView[];
}

/** Joins what fleets say of themselves with what has been counted of their calls. */
export function dashboardView(
  { at, version }: Pick<DashboardView, "at" | "version">,
  statuses: readonly FleetStatus[],
  samples: readonly MetricSamples[],
): DashboardView {
  const values = (name: string) => samples.find((metric) => metric.name === name)?.values ?? [];
  const outcomes = values("mcp_request_total");
  const durations = values("mcp_request_duration_ms").filter(({ metricName }) => metricName?.endsWith("_bucket"));
  const sum = (of: typeof outcomes) => of.reduce((total, { value }) => total + value, 0);
  const servers = statuses.map((status) => {
    const calls = outcomes.filter(({ labels }) => labels.server === status.name);
    const buckets = new Map<number | null, number>();
    for (const { labels, value } of durations) {
      if (labels.server !== status.name) continue;
      const bound = labels.le === "+Inf" ? null : Number(labels.le);
      buckets.set(bound, (buckets.get(bound) ?? 0) + value);
    }
    return {
      ...status,
      calls: sum(calls),
      failed: sum(calls.filter(({ labels }) => labels.status !== "ok")),
      durations: [...buckets].sort(([a], [b]) => (a ?? Infinity) - (b ?? Infinity)),
    };
  });
  return { at, version, sessions: sum(values("mcp_sessions")), servers };
}
