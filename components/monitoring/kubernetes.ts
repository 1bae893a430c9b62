import * as pulumi from "@pulumi/pulumi";
import { childOf } from "../child-of.ts";
import { forced } from "../kubernetes/metadata.ts";
import { kubernetesSdk } from "../kubernetes/objects.ts";
import { alertmanagerSpec } from "./alertmanager-spec.ts";
import { dashboard } from "./dashboard.ts";
import { monitoringDefaults as defaults } from "./defaults.ts";
import type { Monitoring } from "./platforms.ts";
import { ruleFile } from "./prometheus.ts";
import { hiddenTexts, routing } from "./routing.ts";
import { jobScope, namespaceScope } from "./scope.ts";
import { watchedService } from "./watched-service.ts";

/** Objects for the Prometheus Operator (monitoring.coreos.com), and a ConfigMap that Grafana's sidecar finds. */
export const monitoringOnKubernetes: Monitoring = (parent, settings) => {
  const { component, name, job, rules, args } = settings;
  const { namespace, labels: found, tokenSecretName, tokenSecretKey = "token" } = args.kubernetes ?? {};
  const { caSecretName, caSecretKey = "ca.crt" } = args.kubernetes ?? {};
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
    annotations: { ...forced },
  };
  const custom = (noun: string, apiVersion: string, kind: string, spec: pulumi.Input<object>, on?: pulumi.Resource) =>
    new sdk.apiextensions.CustomResource(
      `${name}-${noun}`,
      { apiVersion, kind, metadata, spec },
      child(on === undefined ? {} : { dependsOn: on }),
    );
  const title = `MCP fleet: ${name}`;
  const watched = pulumi.output(args.gateway.metricsTarget).apply(watchedService);
  const scope = pulumi.output({ watched, namespace }).apply((known) => {
    const space = known.namespace ?? known.watched.namespace;
    if (space === undefined) return jobScope(job);
    const gateway = known.watched.namespace === space ? known.watched.name : undefined;
    return namespaceScope(space, job, gateway);
  });
  new sdk.core.v1.ConfigMap(
    `${name}-dashboard`,
    {
      metadata: { ...metadata, labels: { ...metadata.labels, grafana_dashboard: "1" } },
      data: { [`${metadata.name}.json`]: scope.apply((of) => JSON.stringify(dashboard(metadata.name, title, of))) },
    },
    child(),
  );
  custom(
    "rules",
    "monitoring.coreos.com/v1",
    "PrometheusRule",
    scope.apply((of) => ruleFile(settings.recordings, rules, settings.runbookUrl, of)),
  );
  // Pods are scraped by their addresses, which no certificate names.
  const ca = caSecretName && { secret: { name: caSecretName, key: caSecretKey } };
  const tlsConfig = watched.apply(({ scheme, host }) =>
    scheme === "https" ? { serverName: host, ...(ca === undefined ? {} : { ca }) } : undefined,
  );
  custom("monitor", "monitoring.coreos.com/v1", "ServiceMonitor", {
    jobLabel: "app.kubernetes.io/part-of",
    selector: {
      // One gateway of several in a namespace is known by its name.
      matchLabels: watched.apply((service) => ({
        "app.kubernetes.io/part-of": "mcp-fleet",
        "app.kubernetes.io/component": "gateway",
        ...(service.name === undefined ? {} : { "app.kubernetes.io/name": service.name }),
      })),
    },
    endpoints: [
      {
        port: "http",
        path: "/metrics",
        interval: `${defaults.scrapeSeconds}s`,
        scheme: watched.scheme,
        tlsConfig,
        // The job by which rules know the gateway.
        relabelings: [{ targetLabel: "job", replacement: job }],
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
