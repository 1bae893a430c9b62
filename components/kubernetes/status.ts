import type * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";

/** A Deployment's status as the provider has seen it last: available pods alone can be those of an earlier version. */
export function statusOf({ metadata, status }: k8s.apps.v1.Deployment): pulumi.Output<string> {
  return status.apply((now) =>
    metadata.generation.apply((generation = 1) => {
      const { observedGeneration = 0, replicas = 0, updatedReplicas = 0, availableReplicas = 0 } = now ?? {};
      if (availableReplicas === 0) return "stopped";
      return observedGeneration >= generation && updatedReplicas === replicas ? "running" : "degraded";
    }),
  );
}
