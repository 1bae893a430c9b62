import type { types } from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { metadataOf, selectorOf } from "./metadata.ts";
import type { Workload } from "./workload.ts";

type ServiceSpec = types.input.core.v1.ServiceSpec;

/**
 * Metadata of a workload's Service. `rolledOut` says that its pods have been waited for: the provider would wait for every
 * pod of an autoscaler, too, and ten minutes for the address of a load balancer, which clients do not get from here.
 */
export function serviceMetadata(workload: Workload, rolledOut: boolean): types.input.meta.v1.ObjectMeta {
  return metadataOf(workload, {
    ...(rolledOut ? { "pulumi.com/skipAwait": "true" } : {}),
    ...workload.serviceAnnotations,
  });
}

/**
 * A workload's Service. No session affinity: the gateway knows which instance a session belongs to. A load balancer is
 * open to the given addresses only.
 */
export function serviceSpec(
  workload: Workload,
  type = "ClusterIP",
  loadBalancerClass?: pulumi.Input<string>,
): ServiceSpec {
  const { port, scheme, network } = workload;
  return {
    type,
    selector: selectorOf(workload),
    ports: [{ name: "http", port, targetPort: "http", appProtocol: scheme }],
    ...(loadBalancerClass === undefined ? {} : { loadBalancerClass }),
    ...(type === "LoadBalancer" ? { loadBalancerSourceRanges: network.ingressCidrs ?? [] } : {}),
  };
}
