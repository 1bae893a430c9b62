import type * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { childOf } from "../child-of.ts";
import { awsDefaults as defaults } from "./defaults.ts";
import type { InFlightMetric } from "./metric-names.ts";
import type { Aws } from "./sdk.ts";
import { tagsOf, type Workload } from "./workload.ts";

type TrackingArgs = NonNullable<aws.appautoscaling.PolicyArgs["targetTrackingScalingPolicyConfiguration"]>;

/** Between which bounds, and by what, a workload is scaled. */
export interface ScalingBounds {
  readonly minInstances: pulumi.Input<number>;
  readonly maxInstances: pulumi.Input<number>;
  readonly targetCpuPercent: pulumi.Input<number>;
  readonly targetMemoryPercent?: pulumi.Input<number> | undefined;
  /** Calls in flight of one task, and where they are measured. */
  readonly inFlight?: { readonly target: pulumi.Input<number>; readonly metric: InFlightMetric } | undefined;
}

/** A workload's Application Auto Scaling: up soon, down after a calm. */
export function scalingObjects(
  sdk: Aws,
  parent: pulumi.Resource,
  name: string,
  workload: Workload,
  service: aws.ecs.Service,
  bounds: ScalingBounds,
): void {
  const child = childOf(parent);
  const { environment, scaleDownAfterSeconds } = workload.block;
  const scaled = {
    resourceId: pulumi.interpolate`service/${environment.clusterName}/${service.name}`,
    scalableDimension: "ecs:service:DesiredCount",
    serviceNamespace: "ecs",
  };
  const target = new sdk.appautoscaling.Target(
    `${name}-scaling`,
    { ...scaled, minCapacity: bounds.minInstances, maxCapacity: bounds.maxInstances, tags: tagsOf(workload) },
    child(),
  );
  const policy = (kind: string, tracking: TrackingArgs) =>
    new sdk.appautoscaling.Policy(
      `${name}-scaling-${kind}`,
      { ...scaled, policyType: "TargetTrackingScaling", targetTrackingScalingPolicyConfiguration: tracking },
      child({ dependsOn: target }),
    );
  const cooldowns = {
    scaleInCooldown: scaleDownAfterSeconds ?? defaults.scaleDownAfterSeconds,
    scaleOutCooldown: defaults.scaleUpAfterSeconds,
  };
  const predefined = (predefinedMetricType: string) => ({ predefinedMetricSpecification: { predefinedMetricType } });
  policy("cpu", {
    ...cooldowns,
    ...predefined("ECSServiceAverageCPUUtilization"),
    targetValue: bounds.targetCpuPercent,
  });
  if (bounds.targetMemoryPercent !== undefined) {
    const memory = predefined("ECSServiceAverageMemoryUtilization");
    policy("memory", { ...cooldowns, ...memory, targetValue: bounds.targetMemoryPercent });
  }
  if (bounds.inFlight === undefined) return;
  const { target: targetValue, metric } = bounds.inFlight;
  const customizedMetricSpecification = { namespace: metric.namespace, metricName: metric.name, statistic: "Average" };
  policy("in-flight", { ...cooldowns, customizedMetricSpecification, targetValue });
}
