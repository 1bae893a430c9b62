import * as pulumi from "@pulumi/pulumi";
import { childOf } from "../child-of.ts";
import { kubernetesSdk } from "../kubernetes/objects.ts";
import { alertmanagerSpec } from "./alertmanager-spec.ts";
import type { SendersArgs } from "./args.ts";
import { dashboard } from "./dashboard.ts";
import { monitoringDefaults as defaults } from "./defaults.ts";
import { ruleFile } from "./prometheus.ts";
import type { MonitoringSettings } from "./resolve.ts";
import type { Rule } from "./rule.ts";

/** Objects for the Prometheus Operator (monitoring.coreos.com), and a ConfigMap that Grafana's sidecar finds. */
export function monitoringOnKubernetes(parent: pulumi.ComponentResource, settings: MonitoringSettings): void {
  const { component, name, rules, args } = settings;
  const { namespace, labels, tokenSecretName, tokenSecretKey = "token" } = args.kubernetes ?? {};
  const sdk = kubernetesSdk(component);
  const child = childOf(parent);
  const metadata = {
    name: `mcp-fleet-${name}`,
    ...(namespace === undefined ? {} : { namespace }),
    labels: {
      ...args.tags,
      "app.kubernetes.io/part-of": "mcp-fleet",
      "app.kubernetes.io/managed-by": "pulumi",
      ...labels,
    },
  };
  const custom = (noun: string, apiVersion: string, kind: string, spec: pulumi.Input<object>, on?: pulumi.Resource) =>
    new sdk.apiextensions.CustomResource(
      `${name}-${noun}`,
      { apiVersion, kind, metadata, spec },
      child(on === undefined ? {} : { dependsOn: on }),
    );
  custom(
    "rules",
    "monitoring.coreos.com/v1",
    "PrometheusRule",
    ruleFile(settings.recordings, rules, settings.runbookUrl),
  );
  custom("monitor", "monitoring.coreos.com/v1", "ServiceMonitor", {
    jobLabel: "app.kubernetes.io/part-of",
    selector: {
      matchLabels: { "app.kubernetes.io/part-of": "mcp-fleet", "app.kubernetes.io/component": "gateway" },
    },
    endpoints: [
      {
        port: "http",
        path: "/metrics",
        interval: `${defaults.scrapeSeconds}s`,
        // The job by which rules know the gateway.
        relabelings: [{ targetLabel: "job", replacement: settings.job }],
        ...(tokenSecretName === undefined
          ? {}
          : { authorization: { type: "Bearer", credentials: { name: tokenSecretName, key: tokenSecretKey } } }),
      },
    ],
  });
  const stringData = receiverSecrets(rules, args.notifications?.webhook, args.senders);
  if (Object.keys(stringData).length > 0) {
    const secretName = `${metadata.name}-receivers`;
    const secret = new sdk.core.v1.Secret(
      `${name}-receivers`,
      { metadata: { ...metadata, name: secretName }, stringData },
      child(),
    );
    const spec = alertmanagerSpec({ rules, notifications: args.notifications, senders: args.senders }, secretName);
    custom("routes", "monitoring.coreos.com/v1alpha1", "AlertmanagerConfig", spec, secret);
  }
  const title = `MCP fleet: ${name}`;
  new sdk.core.v1.ConfigMap(
    `${name}-dashboard`,
    {
      metadata: { ...metadata, labels: { ...metadata.labels, grafana_dashboard: "1" } },
      data: { [`${metadata.name}.json`]: JSON.stringify(dashboard(metadata.name, title)) },
    },
    child(),
  );
}

/** What the receivers need that others must not read, by its key in their secret. */
function receiverSecrets(
  rules: readonly Rule[],
  webhook: pulumi.Input<string> | undefined,
  { email, slackUrl }: SendersArgs = {},
): Record<string, pulumi.Input<string>> {
  const values: Record<string, pulumi.Input<string> | undefined> = {
    webhook,
    ...Object.fromEntries(rules.map(({ alert, notifications }) => [`webhook-${alert}`, notifications?.webhook])),
    "slack-url": slackUrl,
    "email-password": email?.password,
  };
  const given = Object.entries(values).filter(
    (entry): entry is [string, pulumi.Input<string>] => entry[1] !== undefined,
  );
  return Object.fromEntries(given.map(([key, value]) => [key, pulumi.secret(value)]));
}
