import type { types } from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { metadataOf } from "./metadata.ts";
import type { Workload } from "./workload.ts";

type Spec = types.input.autoscaling.v2.HorizontalPodAutoscalerSpec;
type ObjectMeta = types.input.meta.v1.ObjectMeta;
type Metric = types.input.autoscaling.v2.MetricSpec;

/** Between which bounds, and by what, a workload is scaled. */
export interface AutoscalerBounds {
  readonly minInstances: pulumi.Input<number>;
  readonly maxInstances: pulumi.Input<number>;
  readonly targetCpuPercent: pulumi.Input<number>;
  readonly targetMemoryPercent: pulumi.Input<number> | undefined;
  readonly scaleDownAfterSeconds: pulumi.Input<number>;
}

/** Up at once and at most doubling, down slowly after a calm: callers notice the lack of a pod sooner than its cost. */
export function scalingBehavior(
  scaleDownAfterSeconds: pulumi.Input<number>,
): types.input.autoscaling.v2.HorizontalPodAutoscalerBehavior {
  return {
    scaleUp: {
      stabilizationWindowSeconds: 0,
      selectPolicy: "Max",
      policies: [
        { type: "Percent", value: 100, periodSeconds: 15 },
        { type: "Pods", value: 4, periodSeconds: 15 },
      ],
    },
    scaleDown: {
      stabilizationWindowSeconds: scaleDownAfterSeconds,
      selectPolicy: "Max",
      policies: [
        { type: "Percent", value: 25, periodSeconds: 60 },
        { type: "Pods", value: 1, periodSeconds: 60 },
      ],
    },
  };
}

/**
 * Metadata of a workload's HorizontalPodAutoscaler. KEDA's webhook refuses a ScaledObject while an autoscaler of the same
 * pods lives, but for one with this annotation: a fleet can go over to KEDA in one update, which makes before it deletes.
 */
export function autoscalerMetadata(workload: Workload): ObjectMeta {
  return metadataOf(workload, workload.role === "fleet" ? { "validations.keda.sh/hpa-ownership": "false" } : {});
}

/** A workload's HorizontalPodAutoscaler: by processor use, and by memory where that is asked for. */
export function autoscalerSpec({ name }: Workload, bounds: AutoscalerBounds): Spec {
  const use = (resource: string, percent: pulumi.Input<number>): Metric => ({
    type: "Resource",
    resource: { name: resource, target: { type: "Utilization", averageUtilization: percent } },
  });
  const { targetMemoryPercent } = bounds;
  return {
    scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name },
    minReplicas: bounds.minInstances,
    maxReplicas: bounds.maxInstances,
    metrics: [
      use("cpu", bounds.targetCpuPercent),
      ...(targetMemoryPercent === undefined ? [] : [use("memory", targetMemoryPercent)]),
    ],
    behavior: scalingBehavior(bounds.scaleDownAfterSeconds),
  };
}
