import * as pulumi from "@pulumi/pulumi";
import { childOf } from "../child-of.ts";
import { kubernetesSdk } from "../kubernetes/objects.ts";
import { alertmanagerSpec } from "./alertmanager-spec.ts";
import { dashboard } from "./dashboard.ts";
import { monitoringDefaults as defaults } from "./defaults.ts";
import type { Monitoring } from "./platforms.ts";
import { ruleFile } from "./prometheus.ts";
import { hiddenTexts, routing } from "./routing.ts";

/** Objects for the Prometheus Operator (monitoring.coreos.com), and a ConfigMap that Grafana's sidecar finds. */
export const monitoringOnKubernetes: Monitoring = (parent, settings) => {
  const { component, name, rules, args } = settings;
  const { namespace, labels: found, tokenSecretName, tokenSecretKey = "token" } = args.kubernetes ?? {};
  const sdk = kubernetesSdk(component);
  const child = childOf(parent);
  const metadata = {
    name: `mcp-fleet-${name}`,
    ...(namespace === undefined ? {} : { namespace }),
    labels: {
      ...args.tags,
      "app.kubernetes.io/part-of": "mcp-fleet",
      "app.kubernetes.io/managed-by": "pulumi",
      ...found,
    },
  };
  const custom = (noun: string, apiVersion: string, kind: string, spec: pulumi.Input<object>, on?: pulumi.Resource) =>
    new sdk.apiextensions.CustomResource(
      `${name}-${noun}`,
      { apiVersion, kind, metadata, spec },
      child(on === undefined ? {} : { dependsOn: on }),
    );
  const title = `MCP fleet: ${name}`;
  const shown = new sdk.core.v1.ConfigMap(
    `${name}-dashboard`,
    {
      metadata: { ...metadata, labels: { ...metadata.labels, grafana_dashboard: "1" } },
      data: { [`${metadata.name}.json`]: JSON.stringify(dashboard(metadata.name, title)) },
    },
    child(),
  );
  // The operator lets an AlertmanagerConfig hear only of alerts that carry its namespace, and sums over servers do not.
  const labels = { namespace: namespace ?? shown.metadata.namespace };
  custom(
    "rules",
    "monitoring.coreos.com/v1",
    "PrometheusRule",
    ruleFile(settings.recordings, rules, settings.runbookUrl, labels),
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
  const routes = routing({ rules, notifications: args.notifications, senders: args.senders });
  // Without receivers besides "nobody" there is nothing to tell Alertmanager.
  if (routes.receivers.length > 1) {
    const secretName = `${metadata.name}-receivers`;
    const hidden = Object.entries(hiddenTexts(routes)).map(([key, value]) => [key, pulumi.secret(value)] as const);
    const secret =
      hidden.length === 0
        ? undefined
        : new sdk.core.v1.Secret(
            `${name}-receivers`,
            { metadata: { ...metadata, name: secretName }, stringData: Object.fromEntries(hidden) },
            child(),
          );
    custom(
      "routes",
      "monitoring.coreos.com/v1alpha1",
      "AlertmanagerConfig",
      alertmanagerSpec(routes, secretName),
      secret,
    );
  }
  return {};
};
