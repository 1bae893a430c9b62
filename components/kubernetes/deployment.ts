import type { types } from "@pulumi/kubernetes";
import { labelsOf, metadataOf, selectorOf } from "./metadata.ts";
import { podSpec } from "./pod.ts";
import type { Workload } from "./workload.ts";

/**
 * Metadata of a workload's Deployment. `rolledOut` says that something else waits for its pods: then the provider waits
 * only until the object is there. (`pulumi.com/skipAwait` would not wait for its end either.)
 */
export function deploymentMetadata(workload: Workload, rolledOut: boolean): types.input.meta.v1.ObjectMeta {
  return metadataOf(workload, rolledOut ? { "pulumi.com/waitFor": "jsonpath={.metadata.uid}" } : {});
}

/** A workload's Deployment: a new pod is ready before an old one goes. */
export function deploymentSpec(workload: Workload): types.input.apps.v1.DeploymentSpec {
  const { replicas, podAnnotations } = workload;
  return {
    ...(replicas === undefined ? {} : { replicas }),
    revisionHistoryLimit: 3,
    progressDeadlineSeconds: workload.rolloutSeconds,
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
