import type { types } from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { KubernetesDnsArgs } from "./args.ts";
import { kubernetesDefaults as defaults } from "./defaults.ts";
import { selectorOf } from "./metadata.ts";
import type { Workload } from "./workload.ts";

type Spec = types.input.networking.v1.NetworkPolicySpec;
type Peer = types.input.networking.v1.NetworkPolicyPeer;
type EgressRule = types.input.networking.v1.NetworkPolicyEgressRule;

const partOf = (role: Workload["role"]): Peer => ({
  podSelector: { matchLabels: { "app.kubernetes.io/component": role, "app.kubernetes.io/part-of": "mcp-fleet" } },
});
const address = (cidr: pulumi.Input<string>): Peer => ({ ipBlock: { cidr } });

const namespace = (name: pulumi.Input<string>): NonNullable<Peer["namespaceSelector"]> => ({
  matchLabels: { "kubernetes.io/metadata.name": name },
});
const tcp = (ports: readonly pulumi.Input<number>[]) => ports.map((port) => ({ protocol: "TCP", port }));

/** Where names are looked up. */
function nameServers({
  namespace: space = defaults.dnsNamespace,
  podLabels = defaults.dnsPodLabels,
  cidrs = [defaults.dnsCidr],
  ports = [defaults.dnsPort],
}: KubernetesDnsArgs = {}): EgressRule {
  return {
    to: [{ namespaceSelector: namespace(space), podSelector: { matchLabels: podLabels } }, ...cidrs.map(address)],
    ports: [...ports.map((port) => ({ protocol: "UDP", port })), ...tcp(ports)],
  };
}

/**
 * Denies a workload's pods everything but this: names can be looked up; the gateway reaches fleets and the cluster's
 * API, and is reached from its own namespace; a fleet is reached by gateways; and what the user allows.
 */
export function networkPolicySpec(workload: Workload): Spec {
  const { role, port, network } = workload;
  const { ingressNamespaces = [], ingressCidrs = [], egressCidrs = [], egressNamespaces = [] } = network;
  const { egressPorts = [defaults.egressPort], apiPorts = defaults.apiPorts } = network;
  const own: Peer = role === "fleet" ? partOf("gateway") : { podSelector: {} };
  const callers: Peer[] = [
    own,
    ...ingressNamespaces.map((name) => ({ namespaceSelector: namespace(name) })),
    ...ingressCidrs.map(address),
  ];
  // No selector can name the address of the cluster's API, only ports at which it listens.
  const called: EgressRule[] = role === "gateway" ? [{ to: [partOf("fleet")] }, { ports: tcp(apiPorts) }] : [];
  const others: Peer[] = [
    ...egressNamespaces.map((name) => ({ namespaceSelector: namespace(name) })),
    ...egressCidrs.map(address),
  ];
  const allowed: EgressRule[] = others.length === 0 ? [] : [{ to: others, ports: tcp(egressPorts) }];
  return {
    podSelector: { matchLabels: selectorOf(workload) },
    policyTypes: ["Ingress", "Egress"],
    ingress: [{ from: callers, ports: [{ protocol: "TCP", port }] }],
    egress: [nameServers(network.dns), ...called, ...allowed],
  };
}
