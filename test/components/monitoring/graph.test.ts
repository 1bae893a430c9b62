import { expect, test } from "@jest/globals";
import type * as pulumi from "@pulumi/pulumi";
import { MonitoringStack, type MonitoringStackArgs } from "../../../index.ts";
import { type GraphNode, graphOf, triples } from "../../support/graph.ts";
import { expectRefused } from "../../support/refused-monitoring.ts";

const gateway = { metricsTarget: "http://127.0.0.1:8080/metrics" };
const receivers = {
  alertRules: [
    {
      ...{
        name: "High Error Rate",
        metric: "mcp_server_error_rate",
        condition: "gt",
        threshold: 0.05,
        severity: "high",
      },
      notifications: { webhook: "https://hidden.example/rule" },
    },
  ],
  notifications: { webhook: "https://hidden.example/all", email: ["ops@example.com"], slack: "#alerts" },
  senders: {
    email: { smarthost: "smtp.example.com:587", from: "mcp@example.com", username: "mcp", password: "hidden" },
    slackUrl: "https://hidden.slack.example",
  },
} as const satisfies Partial<MonitoringStackArgs> as unknown as Partial<MonitoringStackArgs>;
const node = (graph: readonly GraphNode[], name: string) => graph.find((one) => one.name === name) as GraphNode;
const value = <T>(output: pulumi.Output<T>): Promise<T> => new Promise((resolve) => output.apply(resolve));

/** Where a text of the receivers stands in the open. */
function openly(graph: readonly GraphNode[]): string[] {
  const found: string[] = [];
  const walk = (path: string, item: unknown): void => {
    if (typeof item === "string" && item.includes("hidden")) found.push(path);
    if (typeof item !== "object" || item === null || "secret" in item) return;
    for (const [key, inner] of Object.entries(item)) walk(`${path}.${key}`, inner);
  };
  for (const { name, inputs } of graph) walk(name, inputs);
  return found;
}

test("on Kubernetes: objects for the operator, with receivers in a Secret", async () => {
  const kubernetes = { namespace: "tools", labels: { release: "prometheus" }, tokenSecretName: "scrape" };
  const graph = await graphOf(
    () =>
      new MonitoringStack("watch", { platform: "kubernetes", gateway, ...receivers, kubernetes, tags: { team: "a" } }),
  );
  expect(triples(graph)).toEqual([
    "mcp-fleet:index:MonitoringStack watch < ",
    "kubernetes:core/v1:ConfigMap watch-dashboard < watch",
    "kubernetes:monitoring.coreos.com/v1:ServiceMonitor watch-monitor < watch",
    "kubernetes:core/v1:Secret watch-receivers < watch",
    "kubernetes:monitoring.coreos.com/v1alpha1:AlertmanagerConfig watch-routes < watch",
    "kubernetes:monitoring.coreos.com/v1:PrometheusRule watch-rules < watch",
  ]);
  expect(openly(graph)).toEqual([]);
  expect(node(graph, "watch-routes").dependsOn).toEqual(["watch-receivers"]);
  expect(node(graph, "watch-receivers").inputs.stringData).toEqual({
    secret: {
      webhook: "https://hidden.example/all",
      "webhook-HighErrorRate": "https://hidden.example/rule",
      "slack-url": "https://hidden.slack.example",
      "email-password": "hidden",
    },
  });
  expect(node(graph, "watch-monitor").inputs).toMatchObject({
    metadata: {
      ...{ name: "mcp-fleet-watch", namespace: "tools", labels: { release: "prometheus", team: "a" } },
      // What somebody else has changed is put back.
      annotations: { "pulumi.com/patchForce": "true" },
    },
    spec: {
      endpoints: [
        {
          ...{ port: "http", path: "/metrics", interval: "15s" },
          relabelings: [{ targetLabel: "job", replacement: "mcp-fleet-watch" }],
          authorization: { type: "Bearer", credentials: { name: "scrape", key: "token" } },
        },
      ],
    },
  });
  const { receivers: told } = node(graph, "watch-routes").inputs.spec as { receivers: { name: string }[] };
  expect(told.map(({ name }) => name)).toEqual(["nobody", "everybody", "HighErrorRate"]);
});

test("on Kubernetes: alerts carry the namespace by which the operator lets routes hear of them", async () => {
  const kubernetes = { namespace: "tools", tokenSecretName: "scrape" };
  const args = { platform: "kubernetes", gateway, ...receivers, kubernetes } as const;
  const graph = await graphOf(() => new MonitoringStack("watch", args));
  const { groups } = node(graph, "watch-rules").inputs.spec as { groups: { rules: { labels?: object }[] }[] };
  const labels = groups.flatMap(({ rules }) => rules).flatMap((rule) => rule.labels ?? []);
  expect(new Set(labels.map((label) => (label as { namespace: string }).namespace))).toEqual(new Set(["tools"]));
});

test("on Kubernetes: a mail server without a password has routes and no Secret; without receivers there are neither", async () => {
  const email = { smarthost: "smtp.example.com:587", from: "mcp@example.com" };
  const told = { notifications: { email: ["ops@example.com"] }, senders: { email } };
  const names = async (more: Partial<MonitoringStackArgs>) =>
    (
      await graphOf(
        () =>
          new MonitoringStack("watch", {
            platform: "kubernetes",
            gateway,
            kubernetes: { tokenSecretName: "scrape" },
            ...more,
          }),
      )
    ).map(({ name }) => name);
  expect(await names(told)).toEqual(["watch", "watch-dashboard", "watch-monitor", "watch-routes", "watch-rules"]);
  expect(await names({})).toEqual(["watch", "watch-dashboard", "watch-monitor", "watch-rules"]);
});

test("on Kubernetes: a gateway with a certificate is scraped over https, and its Prometheus asks for its own gateway only", async () => {
  const kubernetes = { tokenSecretName: "scrape", caSecretName: "authority" };
  const watched = { metricsTarget: "https://gateway.tools:8080/metrics" };
  const graph = await graphOf(
    () => new MonitoringStack("watch", { platform: "kubernetes", gateway: watched, kubernetes }),
  );
  expect(node(graph, "watch-monitor").inputs.spec).toEqual({
    jobLabel: "app.kubernetes.io/part-of",
    selector: {
      matchLabels: {
        "app.kubernetes.io/part-of": "mcp-fleet",
        "app.kubernetes.io/component": "gateway",
        "app.kubernetes.io/name": "gateway",
      },
    },
    endpoints: [
      {
        port: "http",
        path: "/metrics",
        interval: "15s",
        scheme: "https",
        tlsConfig: { serverName: "gateway.tools", ca: { secret: { name: "authority", key: "ca.crt" } } },
        relabelings: [{ targetLabel: "job", replacement: "mcp-fleet-watch" }],
        authorization: { type: "Bearer", credentials: { name: "scrape", key: "token" } },
      },
    ],
  });
  // Without a namespace of its own it is that of the gateway.
  expect(JSON.stringify(node(graph, "watch-rules").inputs.spec)).toContain('namespace=\\"tools\\"');
});

test("who reads an alert is led to a page of the web, by default too", async () => {
  const urls = async (more: Partial<MonitoringStackArgs>) => {
    const kubernetes = { namespace: "tools", tokenSecretName: "scrape" };
    const args = { platform: "kubernetes", gateway, kubernetes, ...more } as const;
    const graph = await graphOf(() => new MonitoringStack("watch", args));
    const { groups } = node(graph, "watch-rules").inputs.spec as {
      groups: { rules: { annotations?: { runbook_url: string } }[] }[];
    };
    return groups.flatMap(({ rules }) => rules).flatMap(({ annotations }) => annotations?.runbook_url ?? []);
  };
  expect((await urls({})).map((url) => new URL(url).pathname)).toEqual(Array(18).fill("/mcp-fleet/docs/runbook.md"));
  expect(await urls({ runbookUrl: "https://wiki.example.com/mcp" })).toContain(
    "https://wiki.example.com/mcp#mcpserverdown",
  );
});

test("an address that is no URL is refused, before an alert leads nowhere", async () => {
  await expectRefused({ gateway, runbookUrl: "docs/runbook.md" }, "runbookUrl: ");
  await expectRefused({ gateway, notifications: { webhook: "alerts.example.com" } }, "notifications.webhook: ");
  await expectRefused({ gateway, senders: { slackUrl: "#alerts" } }, "senders.slackUrl: ");
});

test("a mistyped argument is refused instead of telling nobody", async () => {
  const wrong = (args: object) => ({ gateway, ...args }) as unknown as MonitoringStackArgs;
  await expectRefused(
    wrong({ notification: { webhook: "https://x.example" } }),
    'notification: is not a known key; did you mean "notifications"?',
  );
  await expectRefused(
    wrong({ notifications: { webhok: "https://x.example" } }),
    'notifications.webhok: is not a known key; did you mean "webhook"?',
  );
  const rule = { name: "A", metric: "mcp_sessions", condition: "gt", threshold: 1, severity: "low", forSecond: 5 };
  await expectRefused(
    wrong({ alertRules: [rule] }),
    'alertRules[0].forSecond: is not a known key; did you mean "forSeconds"?',
  );
  await expectRefused(
    wrong({ thresholds: { errorrate: 0.1 } }),
    'thresholds.errorrate: is not a known key; did you mean "errorRate"?',
  );
  await expectRefused(wrong({ platform: "kubernetes", kubernetes: { namespce: "a" } }), "kubernetes.namespce: is not");
  const misspelt = { ...rule, forSecond: undefined, metric: "mcp_eror_rate" };
  await expectRefused(
    wrong({ alertRules: [misspelt] }),
    'alertRules[0].metric: is "mcp_eror_rate", which a gateway does not have; did you mean "mcp_error_rate"?',
  );
});

test("on Kubernetes: a Prometheus without a token is refused, for the gateway answers it with 401", async () => {
  await expectRefused(
    { platform: "kubernetes", gateway },
    "kubernetes.tokenSecretName is missing, and a gateway on Kubernetes answers /metrics with 401 without a token; make a Secret with a token of the gateway's auth, and give its name",
  );
});

test("on processes: four files, the routes among them secret", async () => {
  let stack: MonitoringStack | undefined;
  const graph = await graphOf(() => {
    stack = new MonitoringStack("watch", { gateway, ...receivers, process: { folder: "/var/lib/watch" } });
  });
  expect(triples(graph)).toEqual([
    "mcp-fleet:index:MonitoringStack watch < ",
    "pulumi-nodejs:dynamic/mcp-fleet:ProcessFiles watch-files < watch",
  ]);
  expect(openly(graph)).toEqual([]);
  const { files } = node(graph, "watch-files").inputs as { files: Record<string, unknown> };
  expect(Object.keys(files)).toEqual(["alertmanager.yml", "dashboard.json", "prometheus.yml", "rules.yml"]);
  expect(JSON.parse(files["prometheus.yml"] as string)).toEqual({
    global: { scrape_interval: "15s", evaluation_interval: "15s" },
    rule_files: ["/var/lib/watch/rules.yml"],
    alerting: { alertmanagers: [{ static_configs: [{ targets: ["127.0.0.1:9093"] }] }] },
    scrape_configs: [
      {
        ...{ job_name: "mcp-fleet-watch", scheme: "http", metrics_path: "/metrics" },
        static_configs: [{ targets: ["127.0.0.1:8080"] }],
      },
    ],
  });
  expect(await value((stack as MonitoringStack).alerts)).toContain("HighErrorRate");
});

test.each([
  [
    { platform: "nomad" },
    'platform "nomad" is not one of process, systemd, docker, kubernetes, aws; set platform to one',
  ],
  [
    { kubernetes: {} },
    'kubernetes is given, but platform is "process"; remove kubernetes, or set platform to kubernetes',
  ],
  [{ slo: { availabilityPercent: 100 } }, "slo.availabilityPercent: is 100; give more than 0 and less than 100"],
  [{ thresholds: { p95Ms: 0 } }, "thresholds.p95Ms: is 0; give a number above 0, or leave it out"],
  [{ notifications: { slack: "#a" } }, "notifications.slack is given, but no webhook of Slack; add senders.slackUrl"],
  [
    { alertRules: [{ name: "mcp server down", metric: "m", condition: "gt", threshold: 1, severity: "low" }] },
    'alertRules[0].name: "mcp server down" is another rule\'s name too; give it one of its own',
  ],
])("refused: %j", (change, problem) => expectRefused({ gateway, ...change } as MonitoringStackArgs, problem));
