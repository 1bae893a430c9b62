import { type AlertRuleArgs, Condition, type NotificationArgs, type SendersArgs, Severity } from "./args.ts";
import { monitoringDefaults as defaults } from "./defaults.ts";
import { errorRatio, quantile, series } from "./expressions.ts";
import { type madeMetrics, metricProblem } from "./metrics.ts";
import type { Rule } from "./rule.ts";

const window = "5m";

/** Metrics of the specification's rules that are made of others. */
const made: Readonly<Record<(typeof madeMetrics)[number], (selector: string) => string>> = {
  mcp_server_error_rate: (selector) => errorRatio(window, selector),
  mcp_server_response_time_p50: (selector) => quantile(0.5, window, selector),
  mcp_server_response_time_p95: (selector) => quantile(0.95, window, selector),
  mcp_server_response_time_p99: (selector) => quantile(0.99, window, selector),
  mcp_server_request_rate: (selector) => `sum by (server) (rate(${series("mcp_request_total", selector)}[${window}]))`,
};
const comparisons: Readonly<Record<Condition, string>> = { gt: ">", gte: ">=", lt: "<", lte: "<=", eq: "==" };

/** A rule of the specification's shape. */
export function userRule(args: AlertRuleArgs): Rule {
  const server = args.server === undefined ? [] : [`server="${args.server}"`];
  return {
    alert: alertName(args.name),
    expr: ({ only }) => {
      const selector = [...server, only].join(",");
      const measured = made[args.metric as keyof typeof made]?.(selector) ?? series(args.metric, selector);
      return `${measured} ${comparisons[args.condition]} ${args.threshold}`;
    },
    forSeconds: args.forSeconds ?? defaults.forSeconds,
    severity: args.severity,
    summary: `${args.name}: ${args.metric} is {{ $value | humanize }} at {{ $labels.server }}`,
    runbook: undefined,
    notifications: args.notifications,
  };
}

/** `High Error Rate` as Prometheus names alerts: `HighErrorRate`. */
export function alertName(name: string): string {
  const words = name.split(/[^A-Za-z0-9]+/).filter((word) => word !== "");
  return words.map((word) => (word[0] as string).toUpperCase() + word.slice(1)).join("");
}

/** What is wrong with who is told, by its place in the arguments. */
export type ReceiverCheck = (at: string, notifications: NotificationArgs | undefined) => string[];

/** Every mistake in rules of users and in who is told: field, value, fix. */
export function ruleProblems(
  rules: readonly AlertRuleArgs[],
  notifications: NotificationArgs | undefined,
  check: ReceiverCheck,
  taken: readonly string[],
): string[] {
  const problems = check("notifications", notifications);
  const names = new Set(taken);
  for (const [index, rule] of rules.entries()) {
    const at = `alertRules[${index}]`;
    const name = alertName(rule.name ?? "");
    if (!/^[A-Za-z]/.test(name)) problems.push(`${at}.name: is "${rule.name}"; give a name that begins with a letter`);
    else if (names.has(name))
      problems.push(`${at}.name: "${rule.name}" is another rule's name too; give it one of its own`);
    names.add(name);
    const problem = metricProblem(rule.metric ?? "");
    if (problem !== undefined) problems.push(`${at}.metric: ${problem}`);
    const conditions = Object.values(Condition);
    if (!conditions.includes(rule.condition)) {
      problems.push(`${at}.condition: is "${rule.condition}"; give one of ${conditions.join(", ")}`);
    }
    const severities = Object.values(Severity);
    if (!severities.includes(rule.severity)) {
      problems.push(`${at}.severity: is "${rule.severity}"; give one of ${severities.join(", ")}`);
    }
    if (!Number.isFinite(rule.threshold)) problems.push(`${at}.threshold: is ${rule.threshold}; give a number`);
    if (rule.server !== undefined && !/^[a-z0-9-]+$/.test(rule.server)) {
      problems.push(`${at}.server: is "${rule.server}"; give the name of a fleet`);
    }
    problems.push(...check(`${at}.notifications`, rule.notifications));
  }
  return problems;
}

/** Receivers of Alertmanager need by what they are told. */
export const checkReceivers =
  (senders: SendersArgs | undefined): ReceiverCheck =>
  (at, notifications) => {
    const { email, slack } = notifications ?? {};
    const problems: string[] = [];
    if (email !== undefined && email.length > 0 && senders?.email === undefined) {
      problems.push(`${at}.email is given, but no mail server; add senders.email`);
    }
    if (slack !== undefined && senders?.slackUrl === undefined) {
      problems.push(`${at}.slack is given, but no webhook of Slack; add senders.slackUrl`);
    }
    return problems;
  };
