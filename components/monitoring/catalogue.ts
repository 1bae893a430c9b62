import type { MonitoringStackArgs, ThresholdsArgs } from "./args.ts";
import { monitoringDefaults as defaults } from "./defaults.ts";
import { type Expression, errorRatio, p95, series } from "./expressions.ts";
import type { Recording, Rule } from "./rule.ts";

/** What the catalogue's rules are made for. */
export interface CatalogueSettings {
  readonly thresholds: ThresholdsArgs;
  readonly availabilityPercent: number;
  /** Pods are scaled by a HorizontalPodAutoscaler whose state is scraped (kube-state-metrics). */
  readonly autoscaled: boolean;
}

/** Windows over which the share of failures is kept. */
const windows = ["5m", "30m", "1h", "6h"] as const;
const ratioOver = (window: (typeof windows)[number]): string => `mcp:request_error_ratio:rate${window}`;

/** Series that the rules on the objective read. */
export const recordings: readonly Recording[] = windows.map((window) => ({
  record: ratioOver(window),
  expr: ({ only }) => errorRatio(window, only),
}));

/** Bounds of the rules, with every default applied. */
export interface Bounds {
  readonly errorRate: number;
  readonly p95Ms: number;
  readonly poolUtilization: number;
  readonly lostInstances: number;
  readonly certificateDays: number;
  /** Share of calls that may fail. */
  readonly budget: number;
}

/** The bounds that a stack's arguments give. */
export function boundsOf({ thresholds = {}, slo }: Pick<MonitoringStackArgs, "thresholds" | "slo">): Bounds {
  const availabilityPercent = slo?.availabilityPercent ?? defaults.availabilityPercent;
  return {
    errorRate: thresholds.errorRate ?? defaults.errorRate,
    p95Ms: thresholds.p95Ms ?? defaults.p95Ms,
    poolUtilization: thresholds.poolUtilization ?? defaults.poolUtilization,
    lostInstances: thresholds.lostInstances ?? defaults.lostInstances,
    certificateDays: thresholds.certificateDays ?? defaults.certificateDays,
    // Rounded, because 1 - 0.995 is not 0.005 to a computer.
    budget: Number((1 - availabilityPercent / 100).toFixed(6)),
  };
}

type Entry = Omit<Rule, "notifications" | "runbook" | "forSeconds"> & { readonly forSeconds?: number };

/** The rules that come with the package. Each has its section in docs/runbook.md, and its tests of when it fires and when not. */
export function catalogue({ thresholds, availabilityPercent, autoscaled }: CatalogueSettings): Rule[] {
  const bounds = boundsOf({ thresholds, slo: { availabilityPercent } });
  const { errorRate, p95Ms, poolUtilization: utilization, lostInstances: lost, certificateDays: days, budget } = bounds;
  const burns = (long: (typeof windows)[number], short: (typeof windows)[number], rate: number): Expression => {
    const bound = Number((rate * budget).toFixed(6));
    return ({ only }) =>
      `${series(ratioOver(long), only)} > ${bound} and on (server) ${series(ratioOver(short), only)} > ${bound}`;
  };
  const entries: Entry[] = [
    {
      alert: "McpErrorRateHigh",
      expr: ({ only }) => `${errorRatio("5m", only)} > ${errorRate}`,
      severity: "high",
      summary: `{{ $labels.server }}: {{ $value | humanizePercentage }} of the calls fail`,
    },
    {
      alert: "McpLatencyHigh",
      expr: ({ only }) => `${p95("5m", only)} > ${p95Ms}`,
      severity: "medium",
      summary: `{{ $labels.server }}: the slowest twentieth of the calls takes {{ $value | humanize }} ms or more`,
    },
    {
      alert: "McpPoolSaturated",
      expr: ({ only }) =>
        `${series("mcp_connection_pool_utilization", only)} >= ${utilization} and on (server) ${series("mcp_server_waiting", only)} > 0`,
      severity: "high",
      summary: `{{ $labels.server }}: {{ $value | humanizePercentage }} of the instances, connections or calls that there may be are taken, and callers wait`,
    },
    {
      alert: "McpCallsShed",
      expr: ({ only }) => `sum by (server) (rate(${series("mcp_calls_shed_total", only)}[5m])) > 0`,
      severity: "high",
      summary: "{{ $labels.server }}: calls are refused because there are too many",
    },
    {
      alert: "McpCircuitOpen",
      expr: ({ only }) => `${happened('event=~"circuit-open|fleet-circuit-open"', only, "5m")} > 0`,
      forSeconds: 0,
      severity: "high",
      summary: "{{ $labels.server }}: a circuit breaker has opened",
    },
    {
      alert: "McpServerDown",
      expr: ({ only }) => `max by (server) (${series("mcp_server_health_status", only)}) == 0`,
      forSeconds: 60,
      severity: "critical",
      summary: "{{ $labels.server }}: no instance is ready",
    },
    {
      alert: "McpInstancesLost",
      expr: ({ only }) => `${happened('event="lost"', only, "15m")} > ${lost}`,
      forSeconds: 0,
      severity: "medium",
      summary: "{{ $labels.server }}: {{ $value | humanize }} instances were lost in a quarter of an hour",
    },
    {
      alert: "McpGatewayDown",
      expr: ({ target }) => `${series("up", target)} == 0 or absent(${series("up", target)})`,
      forSeconds: 60,
      severity: "critical",
      summary: "the gateway does not answer",
    },
    {
      alert: "McpSessionsNearBound",
      expr: ({ only }) => `${series("mcp_sessions", only)} / ${series("mcp_sessions_max", only)} > 0.9`,
      severity: "medium",
      summary: "{{ $value | humanizePercentage }} of the sessions that memory may hold are held",
    },
    {
      alert: "McpBoundNear",
      expr: ({ only }) =>
        `max by (bound, server) (${series("mcp_bound_utilization", 'when_full="refuse"', only)}) > 0.9`,
      severity: "high",
      summary:
        "{{ with $labels.server }}{{ . }}: {{ end }}the bound {{ $labels.bound }} is {{ $value | humanizePercentage }} full; at 100% the gateway refuses work",
    },
    {
      alert: "McpSharedStateLost",
      expr: ({ only }) => `rate(${series("mcp_rate_limit_degraded_total", only)}[5m]) > 0`,
      severity: "medium",
      summary: "Redis is away: limits hold for each process of the gateway instead of for all",
    },
    {
      alert: "McpConfigRefused",
      expr: ({ only }) => `min(${series("mcp_config_last_reload_successful", only)}) == 0`,
      severity: "high",
      summary: "the gateway's configuration file is wrong: what it said before is still in force",
    },
    {
      alert: "McpServerChangeRefused",
      expr: ({ only }) => {
        const refused = series("mcp_server_changes_total", 'outcome="refused"', only);
        // A counter has no increase over its first sample: the first refusal is a series that was not there before.
        return `sum by (server) ((${refused} unless ${refused} offset 15m) or increase(${refused}[15m])) > 0`;
      },
      forSeconds: 0,
      severity: "high",
      summary:
        "{{ $labels.server }}: a change was refused, because the changed server was not ready; the one before it serves",
    },
    {
      alert: "McpCertificateExpires",
      expr: ({ only }) => `${series("mcp_certificate_expiry_seconds", only)} - time() < ${days * 24 * 3600}`,
      forSeconds: 0,
      severity: "high",
      summary: "the certificate of {{ $labels.listener }} ends in {{ $value | humanizeDuration }}",
    },
    {
      alert: "McpObjectiveAtRiskFast",
      expr: burns("1h", "5m", 14.4),
      forSeconds: 0,
      severity: "critical",
      summary: `{{ $labels.server }}: at this rate the month's failures are spent in two days`,
    },
    {
      alert: "McpObjectiveAtRiskSlow",
      expr: burns("6h", "30m", 6),
      forSeconds: 0,
      severity: "high",
      summary: `{{ $labels.server }}: at this rate the month's failures are spent in five days`,
    },
    {
      alert: "McpWatchdog",
      expr: () => "vector(1)",
      forSeconds: 0,
      severity: "low",
      summary: "always fires: when it stops, alerts do not get through",
    },
    ...(autoscaled ? [autoscalerAtMaximum] : []),
  ];
  return entries.map(({ forSeconds = defaults.forSeconds, ...entry }) => ({
    ...entry,
    forSeconds,
    runbook: entry.alert.toLowerCase(),
    notifications: undefined,
  }));
}

const happened = (event: string, only: string, window: string): string =>
  `sum by (server) (increase(${series("mcp_instance_events_total", event, only)}[${window}]))`;
const autoscalerAtMaximum: Entry = {
  alert: "McpAutoscalerAtMaximum",
  expr: ({ autoscalers }) => {
    const current = series("kube_horizontalpodautoscaler_status_current_replicas", autoscalers);
    const maximum = series("kube_horizontalpodautoscaler_spec_max_replicas", autoscalers);
    return `${current} >= on (namespace, horizontalpodautoscaler) ${maximum}`;
  },
  forSeconds: 900,
  severity: "medium",
  summary: "{{ $labels.horizontalpodautoscaler }}: at its maximum number of pods for a quarter of an hour",
};
