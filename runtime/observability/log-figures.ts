/** Labels of one series. */
type Labels = Readonly<Record<string, string | number>>;

/** A metric as a registry gives it in JSON. */
export interface Family {
  readonly name: string;
  readonly values: readonly { readonly value: number; readonly labels: Labels; readonly metricName?: string }[];
}

/** What has been added to a counter in a while. */
export interface Growth {
  readonly name: string;
  readonly labels: Labels;
  readonly added: number;
}

/** Figures by the name of their metric; units are CloudWatch's. */
export type Figures = Readonly<
  Record<string, { readonly value: number; readonly unit: "Count" | "Milliseconds" | "None" }>
>;

/** Metrics whose growth is told. */
export const counters: readonly string[] = [
  ...["mcp_request_total", "mcp_request_duration_ms", "mcp_calls_shed_total", "mcp_instance_events_total"],
  "mcp_rate_limit_degraded_total",
];

const quantiles = { p50: 0.5, p95: 0.95, p99: 0.99 } as const;
const circuitEvents: readonly unknown[] = ["circuit-open", "fleet-circuit-open"];
const none = (value: number) => ({ value, unit: "None" }) as const;
const count = (value: number) => ({ value, unit: "Count" }) as const;

/** What is told of a server; shares and times only when it was called. */
export function figuresOfServer(
  server: string,
  families: ReadonlyMap<string, Family>,
  grown: readonly Growth[],
): Figures {
  const gauge = (name: string) => families.get(name)?.values.find(({ labels }) => labels.server === server)?.value ?? 0;
  const added = (metric: string, meant: (labels: Labels) => boolean = () => true) =>
    grown.reduce((sum, { name, labels, added }) => (name === metric && meant(labels) ? sum + added : sum), 0);
  // Calls that their clients gave up are neither good nor bad.
  const total = added("mcp_request_total", ({ status }) => status !== "cancelled");
  const failed = added("mcp_request_total", ({ status }) => status !== "cancelled" && status !== "ok");
  const utilization = gauge("mcp_connection_pool_utilization");
  const waiting = gauge("mcp_server_waiting");
  const times = Object.entries(quantiles).flatMap(([name, of]) => {
    const value = quantile(of, grown);
    return value === undefined
      ? []
      : [[`mcp_server_response_time_${name}`, { value, unit: "Milliseconds" } as const] as const];
  });
  return {
    mcp_server_health_status: none(gauge("mcp_server_health_status")),
    mcp_connection_pool_utilization: none(utilization),
    mcp_server_in_flight: none(gauge("mcp_server_in_flight")),
    mcp_server_waiting: none(waiting),
    // A full pool is well used; it is too small when callers wait.
    mcp_server_saturation: none(waiting > 0 ? utilization : 0),
    mcp_request_total: count(total),
    mcp_request_failed_total: count(failed),
    ...(total > 0 ? { mcp_server_error_rate: none(failed / total) } : {}),
    ...Object.fromEntries(times),
    mcp_calls_shed_total: count(added("mcp_calls_shed_total")),
    mcp_circuits_opened_total: count(added("mcp_instance_events_total", ({ event }) => circuitEvents.includes(event))),
    mcp_instances_lost_total: count(added("mcp_instance_events_total", ({ event }) => event === "lost")),
  };
}

/** What is told of the gateway itself. */
export function figuresOfGateway(families: ReadonlyMap<string, Family>, grown: readonly Growth[]): Figures {
  const gauge = (name: string) => count(families.get(name)?.values[0]?.value ?? 0);
  const degraded = grown.filter(({ name }) => name === "mcp_rate_limit_degraded_total");
  const refusing = families.get("mcp_bound_utilization")?.values.filter(({ labels }) => labels.when_full === "refuse");
  return {
    mcp_sessions: gauge("mcp_sessions"),
    mcp_sessions_max: gauge("mcp_sessions_max"),
    mcp_bound_utilization: none(Math.max(0, ...(refusing ?? []).map(({ value }) => value))),
    mcp_rate_limit_degraded_total: count(degraded.reduce((sum, { added }) => sum + added, 0)),
  };
}

/** A quantile of the calls of a while, as Prometheus's `histogram_quantile` has it: linear within a bucket. */
function quantile(of: number, grown: readonly Growth[]): number | undefined {
  const buckets = new Map<number, number>();
  for (const { name, labels, added } of grown) {
    if (name !== "mcp_request_duration_ms_bucket") continue;
    const bound = labels.le === "+Inf" ? Number.POSITIVE_INFINITY : Number(labels.le);
    buckets.set(bound, (buckets.get(bound) ?? 0) + added);
  }
  const sorted = [...buckets].sort(([one], [other]) => one - other);
  const rank = of * (sorted.at(-1)?.[1] ?? 0);
  if (rank === 0) return undefined;
  let [from, below] = [0, 0];
  for (const [bound, calls] of sorted) {
    if (calls >= rank && bound !== Number.POSITIVE_INFINITY) {
      return from + ((bound - from) * (rank - below)) / (calls - below);
    }
    if (bound !== Number.POSITIVE_INFINITY) [from, below] = [bound, calls];
  }
  // Beyond the last bound nothing is known but that.
  return from;
}
