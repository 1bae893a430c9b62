import type { types } from "@pulumi/kubernetes";
import type { Workload } from "./workload.ts";

type PolicyRule = types.input.rbac.v1.PolicyRule;

/** All that a gateway may ask of the cluster's API: where the pods of its fleets are, in its own namespace. */
export const gatewayRules: readonly PolicyRule[] = [
  { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["get", "list", "watch"] },
];

/** Who is bound to a role, and to which. */
export function roleBinding({ name, namespace }: Workload) {
  return {
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name },
    subjects: [{ kind: "ServiceAccount", name, ...(namespace === undefined ? {} : { namespace }) }],
  };
}
