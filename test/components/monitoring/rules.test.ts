import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { catalogue, recordings } from "../../../components/monitoring/catalogue.ts";
import { ruleFile } from "../../../components/monitoring/prometheus.ts";
import { jobScope, namespaceScope } from "../../../components/monitoring/scope.ts";
import { alertName, checkReceivers, ruleProblems, userRule } from "../../../components/monitoring/user-rules.ts";
import { testWith } from "../../support/needs.ts";
import { check } from "./promtool.ts";

const rules = catalogue({ thresholds: {}, availabilityPercent: 99.5, autoscaled: true });
const example = userRule({
  ...{ name: "High Error Rate", metric: "mcp_server_error_rate", condition: "gt", threshold: 0.05, severity: "high" },
  notifications: { webhook: "https://alerts.example.com/webhook", email: ["ops@example.com"], slack: "#alerts" },
});
const p95 = userRule({
  ...{ name: "High Response Time", metric: "mcp_server_response_time_p95", condition: "gt", threshold: 5000 },
  ...{ severity: "medium", server: "notes", forSeconds: 60 },
});
const waiting = userRule({
  ...{ name: "waiting", metric: "mcp_server_waiting", condition: "gte", threshold: 3, severity: "low", forSeconds: 0 },
});
const all = [...rules, example, p95, waiting];
const scope = jobScope("gw");
const runbookUrl = "https://wiki.example.com/mcp";
const file = ruleFile(recordings, all, runbookUrl, scope);

const withPrometheus = testWith("promtool and amtool");

/** Samples a minute apart: `0+10x9` is Prometheus' own notation. */
type Series = Readonly<Record<string, string>>;

/** Calls of one server over an hour: so many a minute, and so many of them failed. */
const calls = (good: number, bad: number): Series => ({
  'mcp_request_total{server="notes",method="tools/call",status="ok"}': `0+${good}x400`,
  'mcp_request_total{server="notes",method="tools/call",status="error"}': `0+${bad}x400`,
  'mcp_request_total{server="notes",method="tools/call",status="cancelled"}': "0+1000x400",
});
/** Calls that all took as long as a bucket's bound. */
const slow = (bound: string): Series => ({
  'mcp_request_duration_ms_bucket{server="notes",le="100"}': bound === "100" ? "0+60x60" : "0+0x60",
  'mcp_request_duration_ms_bucket{server="notes",le="10000"}': "0+60x60",
  'mcp_request_duration_ms_bucket{server="notes",le="+Inf"}': "0+60x60",
});
const event = (name: string, values: string): Series => ({
  [`mcp_instance_events_total{server="notes",event="${name}"}`]: values,
});
const changes = (outcome: string, values: string): Series => ({
  [`mcp_server_changes_total{server="notes",outcome="${outcome}"}`]: values,
});
const now = 60 * 60;
const certificate = (days: number): Series => ({
  'mcp_certificate_expiry_seconds{listener="http"}': `${now + days * 24 * 3600}x60`,
});
const hpa = (current: number): Series => ({
  'kube_horizontalpodautoscaler_status_current_replicas{horizontalpodautoscaler="mcp-notes"}': `${current}x60`,
  'kube_horizontalpodautoscaler_spec_max_replicas{horizontalpodautoscaler="mcp-notes"}': "5x60",
});

/** The same series with more labels; those of kube-state-metrics keep that job. */
const labelled = (series: Series, labels: string): Series =>
  Object.fromEntries(
    Object.entries(series).map(([name, values]) => {
      const [, metric, own = ""] = /^([a-z_:]+)(?:\{(.*)\})?$/.exec(name) as unknown as [string, string, string?];
      const kept = labels.split(",").filter((label) => !own.includes(`${label.split("=")[0]}=`));
      const more = metric.startsWith("kube_") ? kept.filter((label) => !label.startsWith("job=")) : kept;
      return [`${metric}{${[own, ...more].filter((label) => label !== "").join(",")}}`, values];
    }),
  );

/** For each rule what makes it fire at one hour, and what looks like it and does not. */
const cases: Readonly<Record<string, readonly [fires: Series, silent: Series]>> = {
  McpErrorRateHigh: [calls(90, 10), calls(97, 3)],
  McpLatencyHigh: [slow("10000"), slow("100")],
  McpPoolSaturated: [
    { 'mcp_connection_pool_utilization{server="notes"}': "1x60", 'mcp_server_waiting{server="notes"}': "2x60" },
    { 'mcp_connection_pool_utilization{server="notes"}': "1x60", 'mcp_server_waiting{server="notes"}': "0x60" },
  ],
  McpCallsShed: [
    { 'mcp_calls_shed_total{server="notes"}': "0+1x60" },
    { 'mcp_calls_shed_total{server="notes"}': "7x60" },
  ],
  McpCircuitOpen: [event("circuit-open", "0x57 1x3"), event("circuit-closed", "0x57 1x3")],
  McpServerDown: [
    { 'mcp_server_health_status{server="notes"}': "1x30 0x30" },
    { 'mcp_server_health_status{server="notes"}': "0x30 1x30" },
  ],
  McpInstancesLost: [event("lost", "0x50 1 2 3 4 5 6"), event("lost", "0x50 1 2 2 2 2 2")],
  McpGatewayDown: [{ 'up{job="gw"}': "1x30 0x30" }, { 'up{job="gw"}': "1x60" }],
  McpSessionsNearBound: [
    { mcp_sessions: "95x60", mcp_sessions_max: "100x60" },
    { mcp_sessions: "80x60", mcp_sessions_max: "100x60" },
  ],
  McpBoundNear: [
    { 'mcp_bound_utilization{bound="queue",server="notes",when_full="refuse"}': "0.95x60" },
    {
      // An old entry goes, or the next call waits: that is what these are for.
      'mcp_bound_utilization{bound="cache_bytes",server="notes",when_full="evict"}': "1x60",
      'mcp_bound_utilization{bound="instances",server="notes",when_full="wait"}': "1x60",
      'mcp_bound_utilization{bound="heap",server="",when_full="refuse"}': "0.85x60",
    },
  ],
  McpSharedStateLost: [{ mcp_rate_limit_degraded_total: "0+1x60" }, { mcp_rate_limit_degraded_total: "5x60" }],
  McpConfigRefused: [
    {
      'mcp_config_last_reload_successful{instance="a"}': "1x60",
      'mcp_config_last_reload_successful{instance="b"}': "1x50 0x10",
    },
    {
      'mcp_config_last_reload_successful{instance="a"}': "1x60",
      'mcp_config_last_reload_successful{instance="b"}': "1x56 0x1 1x3",
    },
  ],
  // The first refusal since the start is the first sample; one of an hour ago is nobody's business any more.
  McpServerChangeRefused: [changes("refused", "_x55 1x5"), changes("refused", "_x10 1x50")],
  McpCertificateExpires: [certificate(13), certificate(15)],
  McpObjectiveAtRiskFast: [calls(92, 8), calls(94, 6)],
  McpObjectiveAtRiskSlow: [calls(96, 4), calls(98, 2)],
  McpWatchdog: [{ up: "1x60" }, {}],
  McpAutoscalerAtMaximum: [hpa(5), hpa(4)],
  HighErrorRate: [calls(90, 10), calls(97, 3)],
  HighResponseTime: [slow("10000"), slow("100")],
  Waiting: [{ 'mcp_server_waiting{server="notes"}': "3x60" }, { 'mcp_server_waiting{server="notes"}': "2x60" }],
};

test("every rule has a case, a section of the runbook and a name of its own", () => {
  expect(Object.keys(cases)).toEqual(all.map(({ alert }) => alert));
  expect(new Set(all.map(({ alert }) => alert)).size).toBe(all.length);
  const runbook = readFileSync(join(import.meta.dirname, "../../../docs/runbook.md"), "utf8");
  const sections = [...runbook.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading);
  expect(sections).toEqual(rules.map(({ alert }) => alert));
  expect(rules.map(({ alert, runbook: anchor }) => anchor === alert.toLowerCase())).toEqual(rules.map(() => true));
});

describe("as Prometheus reads them", () => {
  withPrometheus("the rules are right", async () => {
    expect(check("promtool", ["check", "rules", "rules.yml"], { "rules.yml": file })).toEqual({
      code: 0,
      out: `Checking rules.yml\n  SUCCESS: ${all.length + recordings.length} rules found\n\n`,
    });
  });

  const evaluated = (given: Series, alert: string, at: string, fires: boolean) => {
    const rule = all.find((one) => one.alert === alert);
    const series = labelled(given, 'job="gw"');
    return {
      interval: "1m",
      input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
      promql_expr_test: [
        {
          expr: `count(ALERTS{alertname="${alert}",alertstate="firing",severity="${rule?.severity}"}) or vector(0)`,
          eval_time: at,
          exp_samples: [{ labels: "{}", value: fires ? 1 : 0 }],
        },
      ],
    };
  };

  for (const [alert, [fires, silent]] of Object.entries(cases)) {
    withPrometheus(`${alert} fires when it should and only then`, async () => {
      // The slow burn needs six hours of failures.
      const at = alert.startsWith("McpObjective") ? "380m" : "60m";
      const tests = [evaluated(fires, alert, at, true)];
      if (alert !== "McpWatchdog") tests.push(evaluated(silent, alert, at, false));
      const asked = { rule_files: ["rules.yml"], evaluation_interval: "1m", tests };
      const { code, out } = check("promtool", ["test", "rules", "test.yml"], { "rules.yml": file, "test.yml": asked });
      expect({ code, out }).toMatchObject({ code: 0 });
    });
  }
});

describe("a refused change of a server", () => {
  const said = (series: Series, fires: boolean) => ({
    interval: "1m",
    input_series: Object.entries(labelled(series, 'job="gw"')).map(([name, values]) => ({ series: name, values })),
    promql_expr_test: [
      {
        expr: 'count(ALERTS{alertname="McpServerChangeRefused",alertstate="firing"}) or vector(0)',
        eval_time: "60m",
        exp_samples: [{ labels: "{}", value: fires ? 1 : 0 }],
      },
    ],
  });

  withPrometheus("is told the second time too, and one that was taken over is not told", async () => {
    const tests = [
      said(changes("refused", "1x50 2x10"), true),
      said(changes("refused", "2x60"), false),
      said(changes("applied", "_x55 1x5"), false),
    ];
    const asked = { rule_files: ["rules.yml"], evaluation_interval: "1m", tests };
    const { code, out } = check("promtool", ["test", "rules", "test.yml"], { "rules.yml": file, "test.yml": asked });
    expect({ code, out }).toMatchObject({ code: 0 });
  });
});

describe("two environments on one Prometheus", () => {
  const prod = ruleFile(recordings, all, runbookUrl, namespaceScope("prod", "gw", "gateway"));

  for (const [alert, [fires, silent]] of Object.entries(cases).filter(([name]) => name !== "McpWatchdog")) {
    withPrometheus(`${alert} of prod says nothing of staging, and staging hides nothing of prod`, async () => {
      const at = alert.startsWith("McpObjective") ? "380m" : "60m";
      const tests = [
        { prod: fires, staging: silent, value: 1 },
        { prod: silent, staging: fires, value: 0 },
      ].map(({ prod: own, staging, value }) => ({
        interval: "1m",
        input_series: Object.entries({
          ...labelled(own, 'job="gw",namespace="prod"'),
          ...labelled(staging, 'job="gw",namespace="staging"'),
        }).map(([series, values]) => ({ series, values })),
        promql_expr_test: [
          {
            expr: `count(ALERTS{alertname="${alert}",alertstate="firing",namespace="prod"}) or vector(0)`,
            eval_time: at,
            exp_samples: [{ labels: "{}", value }],
          },
        ],
      }));
      const asked = { rule_files: ["rules.yml"], evaluation_interval: "1m", tests };
      const { code, out } = check("promtool", ["test", "rules", "test.yml"], { "rules.yml": prod, "test.yml": asked });
      expect({ code, out }).toMatchObject({ code: 0 });
    });
  }

  withPrometheus("a gateway of prod that is gone altogether is told, with its namespace and job", async () => {
    const tests = [
      {
        interval: "1m",
        input_series: [{ series: 'up{job="gw",namespace="staging"}', values: "1x60" }],
        alert_rule_test: [
          {
            eval_time: "10m",
            alertname: "McpGatewayDown",
            exp_alerts: [
              {
                exp_labels: { severity: "critical", namespace: "prod", component: "mcp-fleet", job: "gw" },
                exp_annotations: {
                  summary: "the gateway does not answer",
                  runbook_url: "https://wiki.example.com/mcp#mcpgatewaydown",
                },
              },
            ],
          },
        ],
      },
    ];
    const asked = { rule_files: ["rules.yml"], evaluation_interval: "1m", tests };
    expect(check("promtool", ["test", "rules", "test.yml"], { "rules.yml": prod, "test.yml": asked })).toMatchObject({
      code: 0,
    });
  });
});

describe("rules of users", () => {
  test("are made of the specification's shape", () => {
    expect({ ...p95, expr: p95.expr(scope) }).toEqual({
      alert: "HighResponseTime",
      expr: 'histogram_quantile(0.95, sum by (server, le) (rate(mcp_request_duration_ms_bucket{server="notes",job="gw"}[5m]))) > 5000',
      forSeconds: 60,
      severity: "medium",
      summary: "High Response Time: mcp_server_response_time_p95 is {{ $value | humanize }} at {{ $labels.server }}",
      runbook: undefined,
      notifications: undefined,
    });
    expect(["high error-rate!", "p95"].map(alertName)).toEqual(["HighErrorRate", "P95"]);
  });

  test("are refused with field, value and fix", () => {
    const wrong = [
      { name: "1st", metric: "a b", condition: "above", threshold: Number.NaN, severity: "bad", server: 'x"' },
      { name: "twice", metric: "mcp_request_duration_ms", condition: "gt", threshold: 1, severity: "low" },
      {
        name: "Twice",
        metric: "mcp_sessions",
        condition: "gt",
        threshold: 1,
        severity: "low",
        notifications: { slack: "#a" },
      },
    ] as unknown as Parameters<typeof ruleProblems>[0];
    expect(ruleProblems(wrong, { email: ["a@b.c"] }, checkReceivers(undefined), [])).toEqual([
      "notifications.email is given, but no mail server; add senders.email",
      'alertRules[0].name: is "1st"; give a name that begins with a letter',
      'alertRules[0].metric: is "a b", which a gateway does not have; give one that its /metrics lists',
      'alertRules[0].condition: is "above"; give one of gt, gte, lt, lte, eq',
      'alertRules[0].severity: is "bad"; give one of critical, high, medium, low',
      "alertRules[0].threshold: is NaN; give a number",
      'alertRules[0].server: is "x""; give the name of a fleet',
      'alertRules[1].metric: is "mcp_request_duration_ms", a histogram without a series of that name; give mcp_request_duration_ms_bucket, mcp_request_duration_ms_sum, mcp_request_duration_ms_count, or mcp_server_response_time_p95',
      'alertRules[2].name: "Twice" is another rule\'s name too; give it one of its own',
      "alertRules[2].notifications.slack is given, but no webhook of Slack; add senders.slackUrl",
    ]);
  });
});
