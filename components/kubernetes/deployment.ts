import type { types } from "@pulumi/kubernetes";
import { labelsOf, metadataOf, selectorOf } from "./metadata.ts";
import { podSpec } from "./pod.ts";
import type { Workload } from "./workload.ts";

/**
 * Metadata of a workload's Deployment. Where no autoscaler owns the replicas, the number of the program holds, whatever
 * autoscaler has changed it before: without force the server refuses to take it back.
 */
export function deploymentMetadata(workload: Workload): types.input.meta.v1.ObjectMeta {
  const metadata = metadataOf(workload);
  return workload.replicas === undefined ? metadata : { ...metadata, annotations: { "pulumi.com/patchForce": "true" } };
}

/** A workload's Deployment: a new pod is ready before an old one goes. */
export function deploymentSpec(workload: Workload): types.input.apps.v1.DeploymentSpec {
  const { replicas, podAnnotations } = workload;
  return {
    ...(replicas === undefined ? {} : { replicas }),
    revisionHistoryLimit: 3,
    progressDeadlineSeconds: 300,
    selector: { matchLabels: selectorOf(workload) },
    strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: "25%", maxUnavailable: 0 } },
    template: {
      metadata: {
        labels: labelsOf(workload),
        ...(Object.keys(podAnnotations).length === 0 ? {} : { annotations: podAnnotations }),
      },
      spec: podSpec(workload),
    },
  };
}
