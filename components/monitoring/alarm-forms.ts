import { Condition } from "./args.ts";
import type { Bounds } from "./catalogue.ts";

/** How CloudWatch makes one figure of a period's data points. */
export type Statistic = "Sum" | "Maximum" | "Minimum" | "SampleCount";

/** A rule as an alarm of CloudWatch evaluates it. */
export interface AlarmForm {
  /** The gateway's own metrics, over all servers or of one, or that of a certificate. */
  readonly of: "gateway" | "certificate";
  /** Statistics of metrics, by the names that the expression has for them. */
  readonly metrics: Readonly<Record<string, readonly [metric: string, statistic: Statistic]>>;
  /** Metric math; undefined compares the only metric itself. */
  readonly expression?: string;
  readonly comparison: Comparison;
  readonly threshold: number;
  readonly periodSeconds: number;
  /** So many periods one after the other. */
  readonly periods: number;
  /** What it means that there is no data. */
  readonly silence: "breaching" | "notBreaching";
}

type Comparison =
  | "GreaterThanThreshold"
  | "GreaterThanOrEqualToThreshold"
  | "LessThanThreshold"
  | "LessThanOrEqualToThreshold";

/** What an alarm says, and the forms that must all hold. */
export interface AlarmRule {
  readonly summary: string;
  readonly forms: readonly AlarmForm[];
}

/** Metrics that a gateway on AWS writes (`metricsLog`), and what the worst of them is. */
export const publishedMetrics: Readonly<Record<string, Statistic>> = {
  mcp_server_health_status: "Minimum",
  mcp_connection_pool_utilization: "Maximum",
  mcp_server_in_flight: "Maximum",
  mcp_server_waiting: "Maximum",
  mcp_server_saturation: "Maximum",
  mcp_server_error_rate: "Maximum",
  mcp_server_response_time_p50: "Maximum",
  mcp_server_response_time_p95: "Maximum",
  mcp_server_response_time_p99: "Maximum",
  mcp_request_total: "Sum",
  mcp_request_failed_total: "Sum",
  mcp_calls_shed_total: "Sum",
  mcp_circuits_opened_total: "Sum",
  mcp_instances_lost_total: "Sum",
  mcp_sessions: "Maximum",
  mcp_sessions_max: "Maximum",
  mcp_bound_utilization: "Maximum",
  mcp_rate_limit_degraded_total: "Sum",
};
const requestRate = "mcp_server_request_rate";

/** What rules of users may be about on AWS. */
export const alarmMetrics: readonly string[] = [...Object.keys(publishedMetrics), requestRate];

const minute = 60;
const hour = 3600;
const day = 24 * hour;

const usual = {
  of: "gateway",
  comparison: "GreaterThanThreshold",
  periodSeconds: minute,
  periods: 5,
  silence: "notBreaching",
} as const;

/** One metric, as its worst. */
const worst = (metric: string): Pick<AlarmForm, "metrics"> => ({
  metrics: { value: [metric, publishedMetrics[metric] as Statistic] },
});

/** Failures over all calls of a while. */
const failing = (periodSeconds: number, threshold: number): AlarmForm => ({
  ...{ ...usual, periodSeconds, periods: 1, threshold },
  metrics: { failed: ["mcp_request_failed_total", "Sum"], total: ["mcp_request_total", "Sum"] },
  expression: "failed / total",
});

/**
 * The catalogue's rules as alarms, by the rule's name. An alarm has no labels: it is about the worst of all servers, and the
 * dashboard says which one that is. `McpWatchdog` has no form, because nothing here listens for its end; neither has
 * `McpAutoscalerAtMaximum`, which is about pods, nor have `McpConfigRefused` and `McpServerChangeRefused`: a task gets its
 * configuration when it starts, and ECS rolls back one that cannot start.
 */
export function alarmForms(bounds: Bounds): Readonly<Record<string, AlarmRule>> {
  const one = (summary: string, metric: string, form: Partial<AlarmForm> & Pick<AlarmForm, "threshold">) => ({
    summary,
    forms: [{ ...usual, ...worst(metric), ...form }],
  });
  const burning = (summary: string, rate: number, long: number, short: number) => {
    const bound = Number((rate * bounds.budget).toFixed(6));
    return { summary, forms: [failing(long, bound), failing(short, bound)] };
  };
  return {
    McpErrorRateHigh: one("too many calls of a server fail", "mcp_server_error_rate", { threshold: bounds.errorRate }),
    McpLatencyHigh: one("the slowest twentieth of a server's calls takes too long", "mcp_server_response_time_p95", {
      threshold: bounds.p95Ms,
    }),
    McpPoolSaturated: one("what a server may have is taken, and callers wait", "mcp_server_saturation", {
      ...{ threshold: bounds.poolUtilization, comparison: "GreaterThanOrEqualToThreshold" },
    }),
    McpCallsShed: one("calls are refused because there are too many", "mcp_calls_shed_total", { threshold: 0 }),
    McpCircuitOpen: one("a circuit breaker has opened", "mcp_circuits_opened_total", {
      ...{ threshold: 0, periodSeconds: 5 * minute, periods: 1 },
    }),
    McpServerDown: one("no instance of a server is ready", "mcp_server_health_status", {
      ...{ threshold: 1, comparison: "LessThanThreshold", periods: 2 },
    }),
    McpInstancesLost: one("instances were lost again and again in a quarter of an hour", "mcp_instances_lost_total", {
      ...{ threshold: bounds.lostInstances, periodSeconds: 15 * minute, periods: 1 },
    }),
    McpGatewayDown: one("no gateway has said anything for three minutes", "mcp_sessions", {
      metrics: { value: ["mcp_sessions", "SampleCount"] },
      ...{ threshold: 1, comparison: "LessThanThreshold", periods: 3, silence: "breaching" },
    }),
    McpSessionsNearBound: {
      summary: "nearly all the sessions that memory may hold are held",
      forms: [
        {
          ...{ ...usual, threshold: 0.9, expression: "held / bound" },
          metrics: { held: ["mcp_sessions", "Maximum"], bound: ["mcp_sessions_max", "Maximum"] },
        },
      ],
    },
    McpBoundNear: one("a bound of the gateway is nearly full; at 100% it refuses work", "mcp_bound_utilization", {
      threshold: 0.9,
    }),
    McpSharedStateLost: one(
      "what replicas share is away: limits hold for each of them",
      "mcp_rate_limit_degraded_total",
      { threshold: 0 },
    ),
    McpCertificateExpires: {
      summary: "the certificate ends soon",
      forms: [
        {
          ...{ ...usual, of: "certificate", threshold: bounds.certificateDays, comparison: "LessThanThreshold" },
          ...{ metrics: { value: ["DaysToExpiry", "Minimum"] }, periodSeconds: day, periods: 1 },
        },
      ],
    },
    McpObjectiveAtRiskFast: burning(
      "at this rate the month's failures are spent in two days",
      ...([14.4, hour, 5 * minute] as const),
    ),
    McpObjectiveAtRiskSlow: burning(
      "at this rate the month's failures are spent in five days",
      ...([6, 6 * hour, 30 * minute] as const),
    ),
  };
}

const comparisons: Readonly<Record<Exclude<Condition, "eq">, Comparison>> = {
  gt: "GreaterThanThreshold",
  gte: "GreaterThanOrEqualToThreshold",
  lt: "LessThanThreshold",
  lte: "LessThanOrEqualToThreshold",
};

/** A rule of a user, about a metric of `alarmMetrics`. */
export function userAlarmForm(metric: string, condition: Condition, threshold: number, forSeconds: number): AlarmForm {
  const periods = Math.max(1, Math.round(forSeconds / minute));
  const rate = metric === requestRate;
  const value = rate ? "value / PERIOD(value)" : "value";
  const form = { ...usual, ...worst(rate ? "mcp_request_total" : metric), periods };
  if (condition === Condition.Eq) {
    // CloudWatch compares by order only; its metric math says 1 for what is equal.
    return {
      ...{ ...form, expression: `${value} == ${threshold}`, threshold: 1 },
      comparison: "GreaterThanOrEqualToThreshold",
    };
  }
  return { ...form, threshold, comparison: comparisons[condition], ...(rate ? { expression: value } : {}) };
}
