import { describe, expect, test } from "@jest/globals";
import type * as pulumi from "@pulumi/pulumi";
import { alarmForms, publishedMetrics, userAlarmForm } from "../../../components/monitoring/alarm-forms.ts";
import type { Condition } from "../../../components/monitoring/args.ts";
import { boundsOf, catalogue } from "../../../components/monitoring/catalogue.ts";
import { MonitoringStack, type MonitoringStackArgs } from "../../../index.ts";
import { type FleetGauges, Metrics } from "../../../runtime/observability/metrics.ts";
import { MetricsLog } from "../../../runtime/observability/metrics-log.ts";
import { awsCloud } from "../../support/aws-cloud.ts";
import { fires, type Sample } from "../../support/cloudwatch.ts";
import { type GraphNode, graphOf, triples } from "../../support/graph.ts";
import { expectRefused } from "../../support/refused-monitoring.ts";

const forms = alarmForms(boundsOf({}));
const rules = catalogue({ thresholds: {}, availabilityPercent: 99.5, autoscaled: true });

/** A gateway with two servers, and what happens to them. */
class World {
  readonly notes = { name: "notes", health: 1, utilization: 0.5, inFlight: 1, waiting: 0, restarts: 0 };
  readonly clock = { ...this.notes, name: "clock" };
  readonly sessions = { live: 10, max: 100 };
  queue = { size: 10 };
  cached = 10;
  readonly metrics = new Metrics(
    () => [this.notes, this.clock] as FleetGauges[],
    () => this.sessions,
  );
  silent = false;

  constructor() {
    this.metrics.bounds.hold(
      { name: "queue", whenFull: "refuse", use: () => ({ size: this.queue.size, max: 100 }) },
      { name: "cache_bytes", whenFull: "evict", use: () => ({ size: this.cached, max: 100 }) },
    );
  }

  calls(server: string, ok: number, failed = 0, ms = 10): void {
    const counts = this.metrics.callsOf(server);
    for (let call = 0; call < ok; call += 1) counts.ended("tools/call", "ok", ms);
    for (let call = 0; call < failed; call += 1) counts.ended("tools/call", "error", ms);
  }
}

/** What a gateway writes while minutes go by. */
async function written(minutes: number, happens: (world: World, minute: number) => void): Promise<Sample[]> {
  const world = new World();
  const samples: Sample[] = [];
  let minute = 0;
  const write = (line: string) => {
    const { _aws, server, ...figures } = JSON.parse(line);
    samples.push({ minute, server, figures });
  };
  const read = async () =>
    ((await world.metrics.json()) as { name: string }[]).filter(({ name }) => name.startsWith("mcp_"));
  const log = new MetricsLog({ namespace: "shop" }, { read, write, clock: () => 0 });
  for (minute = 1; minute <= minutes; minute += 1) {
    happens(world, minute);
    if (!world.silent) await log.tell();
  }
  return samples;
}

test("every rule of the catalogue has an alarm but for those that nothing here could evaluate; they read what is written", async () => {
  const without = rules.map(({ alert }) => alert).filter((alert) => forms[alert] === undefined);
  expect(without).toEqual([...["McpConfigRefused", "McpServerChangeRefused", "McpWatchdog", "McpAutoscalerAtMaximum"]]);
  const names = rules.map(({ alert }) => alert);
  expect(Object.keys(forms).filter((alert) => !names.includes(alert))).toEqual([]);
  const samples = await written(1, (world) => world.calls("notes", 1));
  const known = new Set(samples.flatMap(({ figures }) => Object.keys(figures)));
  expect(Object.keys(publishedMetrics).filter((name) => !known.has(name))).toEqual([]);
});

type Story = (world: World, minute: number) => void;
describe("an alarm fires for what it is about, and is silent for what only looks like it:", () => {
  const stories: [alert: string, minutes: number, fire: Story, silent: Story][] = [
    [
      ...(["McpErrorRateHigh", 6] as const),
      (world) => world.calls("notes", 9, 1),
      // One server's failures, and for less than five minutes.
      (world, minute) => world.calls("notes", 10, minute === 3 ? 0 : 1),
    ],
    [
      ...(["McpLatencyHigh", 6] as const),
      (world) => world.calls("notes", 10, 0, 9000),
      (world) => {
        world.calls("notes", 99, 0, 100);
        world.calls("notes", 1, 0, 9000);
      },
    ],
    [
      ...(["McpPoolSaturated", 6] as const),
      (world) => Object.assign(world.notes, { utilization: 0.95, waiting: 1 }),
      // One is full, and callers wait at another one.
      (world) => {
        Object.assign(world.notes, { utilization: 1, waiting: 0 });
        Object.assign(world.clock, { waiting: 3 });
      },
    ],
    [
      ...(["McpCallsShed", 6] as const),
      (world) => world.metrics.callShed("notes"),
      (world, minute) => minute % 3 === 0 || world.metrics.callShed("notes"),
    ],
    [
      ...(["McpCircuitOpen", 5] as const),
      (world, minute) => minute !== 2 || world.metrics.instanceEvent("notes", "circuit-open"),
      (world) => world.metrics.instanceEvent("notes", "ready"),
    ],
    [
      ...(["McpServerDown", 4] as const),
      (world, minute) => Object.assign(world.notes, { health: Number(minute < 3) }),
      (world, minute) => Object.assign(world.notes, { health: Number(minute < 4) }),
    ],
    [
      ...(["McpInstancesLost", 15] as const),
      (world, minute) => minute % 3 !== 0 || world.metrics.instanceEvent("notes", "lost"),
      (world, minute) => minute % 5 !== 0 || world.metrics.instanceEvent("notes", "lost"),
    ],
    [
      ...(["McpGatewayDown", 6] as const),
      (world, minute) => Object.assign(world, { silent: minute > 3 }),
      (world, minute) => Object.assign(world, { silent: minute > 4 }),
    ],
    [
      ...(["McpSessionsNearBound", 6] as const),
      (world) => Object.assign(world.sessions, { live: 95 }),
      (world) => Object.assign(world.sessions, { live: 90 }),
    ],
    [
      ...(["McpBoundNear", 6] as const),
      (world) => Object.assign(world.queue, { size: 95 }),
      // Less than five minutes, or a cache, which is to be full.
      (world, minute) => Object.assign(world, { queue: { size: minute === 3 ? 90 : 95 }, cached: 100 }),
    ],
    [
      ...(["McpObjectiveAtRiskFast", 60] as const),
      (world) => world.calls("notes", 9, 1),
      // It was so for half an hour, and is over.
      (world, minute) => world.calls("notes", 9, Number(minute < 50)),
    ],
    [
      ...(["McpObjectiveAtRiskSlow", 360] as const),
      (world) => world.calls("notes", 19, 1),
      // Half an hour of failures is not six hours of them.
      (world, minute) => world.calls("notes", 19, Number(minute > 330)),
    ],
  ];
  test.each(stories)("%s", async (alert, minutes, fire, silent) => {
    const all = forms[alert]?.forms ?? [];
    const [loud, calm] = [await written(minutes, fire as Story), await written(minutes, silent as Story)];
    expect(all.map((form) => fires(form, loud, minutes))).toEqual(all.map(() => true));
    expect(all.map((form) => fires(form, calm, minutes))).toContain(false);
  });

  test.each([
    ["McpSharedStateLost", "mcp_rate_limit_degraded_total", 1, 0],
    ["McpCertificateExpires", "DaysToExpiry", 13, 14],
  ])("%s", (alert, metric, bad, good) => {
    const days = Array.from({ length: 1440 }, (_, index) => index + 1);
    const samples = (value: number) => days.map((minute) => ({ minute, figures: { [metric]: value } }));
    const [form] = forms[alert]?.forms ?? [];
    expect([bad, good].map((value) => fires(form as never, samples(value), 1440))).toEqual([true, false]);
  });
});

test("rules of users: each condition, one server or the worst, as long as they say", async () => {
  const samples = await written(3, (world) => {
    world.calls("notes", 60);
    world.calls("clock", 120);
    world.clock.inFlight = 5;
  });
  const firing = (metric: string, condition: string, threshold: number, server?: string, seconds = 180) =>
    fires(userAlarmForm(metric, condition as Condition, threshold, seconds), samples, 3, server);
  expect(firing("mcp_server_in_flight", "gt", 4)).toBe(true);
  expect(firing("mcp_server_in_flight", "gt", 4, "notes")).toBe(false);
  expect(firing("mcp_server_in_flight", "gte", 5)).toBe(true);
  expect(firing("mcp_server_in_flight", "lt", 5, "notes")).toBe(true);
  expect(firing("mcp_server_in_flight", "lte", 0.5, "notes")).toBe(false);
  expect(firing("mcp_server_in_flight", "eq", 5)).toBe(true);
  expect(firing("mcp_server_in_flight", "eq", 4)).toBe(false);
  // Sixty calls in a minute are one each second.
  expect(firing("mcp_server_request_rate", "gte", 1, "notes")).toBe(true);
  expect(firing("mcp_server_request_rate", "gt", 1, "notes")).toBe(false);
  expect(firing("mcp_server_in_flight", "gt", 4, undefined, 240)).toBe(false);
});

const gateway = { metricsTarget: "https://mcp.example.com/metrics" };
const certificateArn = "arn:aws:acm:::certificate/c";
const value = <T>(output: pulumi.Output<T>): Promise<T> => new Promise((resolve) => output.apply(resolve));

test("the stack: topics with who hears, an alarm for each rule, a dashboard; webhooks are secret", async () => {
  let stack: MonitoringStack | undefined;
  const graph = await graphOf(
    () => {
      stack = new MonitoringStack("watch", {
        ...{ platform: "aws", gateway, tags: { team: "a" }, runbookUrl: "https://runbook.example" },
        notifications: { webhook: "https://hidden.example", email: ["ops@example.com"], slack: "C0123" },
        aws: { certificateArn, slackTeamId: "T0123", kmsKeyArn: "arn:aws:kms:::key/k" },
        alertRules: [
          {
            ...{ name: "Busy clock", metric: "mcp_server_in_flight", condition: "eq", threshold: 7, severity: "low" },
            ...{ server: "clock", forSeconds: 120, notifications: { webhook: "http://hidden.example/clock" } },
          },
        ],
      });
    },
    [],
    awsCloud,
  );
  expect(triples(graph).map((line) => line.replace(/^(\S+):\S+ /, "$1 "))).toEqual([
    "mcp-fleet:index watch < ",
    "aws:cloudwatch/metricAlarm watch-BusyClock < watch",
    "aws:sns/topic watch-BusyClock-alerts < watch",
    "aws:sns/topicSubscription watch-BusyClock-alerts-webhook < watch",
    ...[
      "BoundNear",
      "CallsShed",
      "CertificateExpires",
      "CircuitOpen",
      "ErrorRateHigh",
      "GatewayDown",
      "InstancesLost",
    ].map((alert) => `aws:cloudwatch/metricAlarm watch-Mcp${alert} < watch`),
    "aws:cloudwatch/metricAlarm watch-McpLatencyHigh < watch",
    ...["Fast", "Slow"].flatMap((speed) => [
      `aws:cloudwatch/compositeAlarm watch-McpObjectiveAtRisk${speed} < watch`,
      `aws:cloudwatch/metricAlarm watch-McpObjectiveAtRisk${speed}-part-1 < watch`,
      `aws:cloudwatch/metricAlarm watch-McpObjectiveAtRisk${speed}-part-2 < watch`,
    ]),
    ...["PoolSaturated", "ServerDown", "SessionsNearBound", "SharedStateLost"].map(
      (alert) => `aws:cloudwatch/metricAlarm watch-Mcp${alert} < watch`,
    ),
    "aws:sns/topic watch-alerts < watch",
    "aws:sns/topicSubscription watch-alerts-email-1 < watch",
    "aws:chatbot/slackChannelConfiguration watch-alerts-slack < watch",
    "aws:sns/topicSubscription watch-alerts-webhook < watch",
    "aws:cloudwatch/dashboard watch-dashboard < watch",
    "aws:iam/role watch-slack-role < watch",
  ]);
  const inputs = (name: string) => (graph.find((one) => one.name === name) as GraphNode).inputs;
  const told = (topic: string) => ({
    ...{ alarmActions: [`arn:aws:test:::${topic}`], okActions: [`arn:aws:test:::${topic}`] },
  });
  const tags = { "mcp-fleet:component": "watch", "mcp-fleet:role": "monitoring", team: "a" };
  expect(inputs("watch-McpLatencyHigh")).toEqual({
    ...{ namespace: "mcp-fleet/mcp.example.com", metricName: "mcp_server_response_time_p95", statistic: "Maximum" },
    ...{ period: 60, evaluationPeriods: 5, threshold: 5000, comparisonOperator: "GreaterThanThreshold" },
    ...{ treatMissingData: "notBreaching", ...told("watch-alerts"), tags: { ...tags, "mcp-fleet:severity": "medium" } },
    alarmDescription:
      "medium: the slowest twentieth of a server's calls takes too long. https://runbook.example#mcplatencyhigh",
  });
  const metric = { namespace: "mcp-fleet/mcp.example.com", dimensions: { server: "clock" } };
  expect(inputs("watch-BusyClock")).toEqual({
    ...{ evaluationPeriods: 2, threshold: 1, comparisonOperator: "GreaterThanOrEqualToThreshold" },
    ...{ treatMissingData: "notBreaching", ...told("watch-BusyClock-alerts") },
    metricQueries: [
      { id: "compared", expression: "value == 7", label: "value == 7", returnData: true },
      { id: "value", metric: { ...metric, metricName: "mcp_server_in_flight", stat: "Maximum", period: 60 } },
    ],
    tags: { ...tags, "mcp-fleet:severity": "low" },
    alarmDescription: "low: Busy clock: mcp_server_in_flight is eq 7 at clock.",
  });
  expect(inputs("watch-McpObjectiveAtRiskFast")).toMatchObject({
    alarmRule: 'ALARM("watch-McpObjectiveAtRiskFast-part-1") AND ALARM("watch-McpObjectiveAtRiskFast-part-2")',
  });
  expect(inputs("watch-McpObjectiveAtRiskFast-part-1").alarmActions).toBeUndefined();
  expect([inputs("watch-alerts-webhook"), inputs("watch-BusyClock-alerts-webhook")]).toEqual([
    {
      ...{ topic: "arn:aws:test:::watch-alerts", protocol: "https" },
      endpoint: { secret: "https://hidden.example" },
    },
    {
      ...{ topic: "arn:aws:test:::watch-BusyClock-alerts", protocol: "http" },
      endpoint: { secret: "http://hidden.example/clock" },
    },
  ]);
  expect(inputs("watch-alerts")).toMatchObject({ kmsMasterKeyId: "arn:aws:kms:::key/k" });
  expect(inputs("watch-alerts-slack")).toMatchObject({ slackChannelId: "C0123", slackTeamId: "T0123" });
  const made = stack as MonitoringStack;
  expect(await value(made.topicArn)).toBe("arn:aws:test:::watch-alerts");
  expect(await value(made.dashboardUrl)).toContain("eu-central-1#dashboards/dashboard/shop-test-watch");
  expect(await value(made.alerts)).toEqual([...Object.keys(forms), "BusyClock"]);
});

test("without a certificate there is no alarm for its end", async () => {
  const stack = () => new MonitoringStack("watch", { platform: "aws", gateway });
  const graph = await graphOf(stack, [], awsCloud);
  const alarms = graph.filter(({ type }) => /:(Metric|Composite)Alarm$/.test(type)).map(({ name }) => name);
  expect(alarms).toHaveLength(Object.keys(forms).length - 1 + 4);
  expect(alarms).not.toContain("watch-McpCertificateExpires");
});

const rule = { name: "Mine", metric: "mcp_sessions", condition: "gt", threshold: 1, severity: "low" };
test.each([
  [{ senders: { slackUrl: "https://slack" } }, "senders is given, but SNS sends mail by itself; remove senders"],
  [
    { notifications: { slack: "C0123" } },
    "notifications.slack is given, but no workspace of Slack; add aws.slackTeamId, the workspace's id, after an administrator has let Amazon Q Developer into it",
  ],
  [
    { notifications: { slack: "#alerts" }, aws: { slackTeamId: "T0123" } },
    'notifications.slack: is "#alerts"; on aws give the channel\'s id, such as C0123456789, not its name',
  ],
  [
    { alertRules: [{ ...rule, metric: "mcp_cache_bytes" }] },
    'alertRules[0].metric: is "mcp_cache_bytes", which the gateway does not write to CloudWatch; give one of mcp_server_health_status, mcp_connection_pool_utilization, mcp_server_in_flight,',
  ],
  [
    { alertRules: [{ ...rule, forSeconds: 90_000 }] },
    "alertRules[0].forSeconds: is 90000; CloudWatch takes at most 86400, a day",
  ],
  [{ process: {} }, 'process is given, but platform is "aws"; remove process, or set platform to process'],
])("refused, before anything is made: %j", (change, problem) =>
  expectRefused({ platform: "aws", gateway, ...change } as MonitoringStackArgs, problem, awsCloud),
);
