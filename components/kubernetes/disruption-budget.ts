import type { types } from "@pulumi/kubernetes";
import { selectorOf } from "./metadata.ts";
import type { Workload } from "./workload.ts";

/**
 * One pod at a time may be evicted. Not a minimum that must stay: with as many pods as that, a node could never be
 * drained. A pod that is broken anyway may always go.
 */
export function disruptionBudgetSpec(workload: Workload): types.input.policy.v1.PodDisruptionBudgetSpec {
  return {
    maxUnavailable: 1,
    unhealthyPodEvictionPolicy: "AlwaysAllow",
    selector: { matchLabels: selectorOf(workload) },
  };
}
