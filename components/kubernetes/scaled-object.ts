import * as pulumi from "@pulumi/pulumi";
import type { KubernetesKedaArgs } from "./args.ts";
import { type AutoscalerBounds, scalingBehavior } from "./autoscaler.ts";
import { kubernetesDefaults as defaults } from "./defaults.ts";
import { withUnit } from "./units.ts";
import type { Workload } from "./workload.ts";

/**
 * A fleet's ScaledObject (keda.sh/docs/2.16/reference/scaledobject-spec): by the calls in flight that its gateways
 * count, down to no instance at all. KEDA makes the autoscaler, so there is no other one.
 */
export function scaledObjectSpec(
  { name }: Workload,
  namespace: pulumi.Input<string>,
  server: string,
  bounds: Omit<AutoscalerBounds, "targetCpuPercent" | "targetMemoryPercent">,
  targetInFlight: pulumi.Input<number>,
  keda: KubernetesKedaArgs,
) {
  const { minInstances, maxInstances } = bounds;
  return {
    scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name },
    minReplicaCount: minInstances,
    maxReplicaCount: maxInstances,
    pollingInterval: keda.pollingSeconds ?? defaults.kedaPollingSeconds,
    cooldownPeriod: keda.cooldownSeconds ?? defaults.kedaCooldownSeconds,
    // What Prometheus does not know must not end instances that may be at work.
    fallback: { failureThreshold: 3, replicas: maxInstances },
    advanced: {
      horizontalPodAutoscalerConfig: { behavior: scalingBehavior(bounds.scaleDownAfterSeconds) },
    },
    triggers: [
      {
        type: "prometheus",
        metricType: "AverageValue",
        metadata: {
          serverAddress: keda.prometheusAddress,
          query:
            typeof namespace === "string"
              ? loadQuery(server, namespace)
              : pulumi.output(namespace).apply((space) => loadQuery(server, space)),
          threshold: withUnit(targetInFlight),
          activationThreshold: "0",
          ignoreNullValues: "false",
        },
      },
    ],
  };
}

/** Calls of one server, in flight and waiting, at the gateways of its namespace: a Prometheus often scrapes several. */
function loadQuery(server: string, namespace: string): string {
  const only = `server="${server}",namespace="${namespace}"`;
  return `sum(mcp_server_in_flight{${only}}) + sum(mcp_server_waiting{${only}})`;
}
