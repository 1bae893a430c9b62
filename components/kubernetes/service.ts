import type { types } from "@pulumi/kubernetes";
import { selectorOf } from "./metadata.ts";
import type { Workload } from "./workload.ts";

type ServiceSpec = types.input.core.v1.ServiceSpec;

/**
 * A workload's Service. No session affinity: the gateway knows which instance a session belongs to. A load balancer is
 * open to the given addresses only.
 */
export function serviceSpec(workload: Workload, type = "ClusterIP"): ServiceSpec {
  const { port, scheme, network } = workload;
  return {
    type,
    selector: selectorOf(workload),
    ports: [{ name: "http", port, targetPort: "http", appProtocol: scheme }],
    ...(type === "LoadBalancer" ? { loadBalancerSourceRanges: network.ingressCidrs ?? [] } : {}),
  };
}
