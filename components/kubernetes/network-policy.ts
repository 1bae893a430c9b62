import type { types } from "@pulumi/kubernetes";
import { kubernetesDefaults as defaults } from "./defaults.ts";
import { selectorOf } from "./metadata.ts";
import type { Workload } from "./workload.ts";

type Spec = types.input.networking.v1.NetworkPolicySpec;
type Peer = types.input.networking.v1.NetworkPolicyPeer;
type EgressRule = types.input.networking.v1.NetworkPolicyEgressRule;

const partOf = (role: Workload["role"]): Peer => ({
  podSelector: { matchLabels: { "app.kubernetes.io/component": role, "app.kubernetes.io/part-of": "mcp-fleet" } },
});
const address = (cidr: string): Peer => ({ ipBlock: { cidr } });

const dns: EgressRule = {
  to: [
    {
      namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } },
      podSelector: { matchLabels: { "k8s-app": "kube-dns" } },
    },
  ],
  ports: [
    { protocol: "UDP", port: 53 },
    { protocol: "TCP", port: 53 },
  ],
};

/** The cluster's API, whose address no selector can name: the ports at which it listens. */
const clusterApi: EgressRule = {
  ports: [
    { protocol: "TCP", port: 443 },
    { protocol: "TCP", port: 6443 },
  ],
};

/**
 * Denies a workload's pods everything but this: names can be looked up; the gateway reaches fleets and the cluster's
 * API, and is reached from its own namespace; a fleet is reached by gateways; and what the user allows. `fleetPorts` are
 * those of a gateway's fleets.
 */
export function networkPolicySpec(workload: Workload): Spec {
  const { role, port, network } = workload;
  const { ingressNamespaces = [], ingressCidrs = [], egressCidrs = [], egressPorts = [defaults.egressPort] } = network;
  const own: Peer = role === "fleet" ? partOf("gateway") : { podSelector: {} };
  const callers: Peer[] = [
    own,
    ...ingressNamespaces.map((name) => ({
      namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": name } },
    })),
    ...ingressCidrs.map(address),
  ];
  const called: EgressRule[] = role === "gateway" ? [{ to: [partOf("fleet")] }, clusterApi] : [];
  const allowed: EgressRule[] =
    egressCidrs.length === 0
      ? []
      : [
          {
            to: egressCidrs.map((cidr) => ({ ipBlock: { cidr } })),
            ports: egressPorts.map((port) => ({ protocol: "TCP", port })),
          },
        ];
  return {
    podSelector: { matchLabels: selectorOf(workload) },
    policyTypes: ["Ingress", "Egress"],
    ingress: [{ from: callers, ports: [{ protocol: "TCP", port }] }],
    egress: [dns, ...called, ...allowed],
  };
}
