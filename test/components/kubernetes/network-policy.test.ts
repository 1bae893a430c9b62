import { describe, expect, test } from "@jest/globals";
import { networkPolicySpec } from "../../../components/kubernetes/network-policy.ts";
import type { Workload } from "../../../components/kubernetes/workload.ts";
import { notes, selector } from "./workload.ts";

describe("a NetworkPolicy denies everything but", () => {
  const dns = {
    to: [
      {
        namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } },
        podSelector: { matchLabels: { "k8s-app": "kube-dns" } },
      },
      // NodeLocal DNSCache.
      { ipBlock: { cidr: "169.254.20.10/32" } },
    ],
    ports: [
      { protocol: "UDP", port: 53 },
      { protocol: "TCP", port: 53 },
    ],
  };
  const partOf = (role: string) => ({
    podSelector: { matchLabels: { "app.kubernetes.io/component": role, "app.kubernetes.io/part-of": "mcp-fleet" } },
  });

  test("for a fleet: its gateway, and the looking up of names", () => {
    expect(networkPolicySpec(notes())).toEqual({
      podSelector: { matchLabels: selector },
      policyTypes: ["Ingress", "Egress"],
      ingress: [{ from: [partOf("gateway")], ports: [{ protocol: "TCP", port: 3001 }] }],
      egress: [dns],
    });
  });

  test("for a gateway: its namespace, its fleets and the cluster's API", () => {
    const gateway: Workload = { ...notes(), name: "gateway", role: "gateway", port: 8080 };
    expect(networkPolicySpec(gateway)).toEqual({
      podSelector: { matchLabels: { "app.kubernetes.io/name": "gateway", "app.kubernetes.io/component": "gateway" } },
      policyTypes: ["Ingress", "Egress"],
      ingress: [{ from: [{ podSelector: {} }], ports: [{ protocol: "TCP", port: 8080 }] }],
      egress: [
        dns,
        { to: [partOf("fleet")] },
        {
          ports: [
            { protocol: "TCP", port: 443 },
            { protocol: "TCP", port: 6443 },
          ],
        },
      ],
    });
  });

  test("name servers that are elsewhere, such as OpenShift's", () => {
    const podLabels = { "dns.operator.openshift.io/daemonset-dns": "default" };
    const network = { dns: { namespace: "openshift-dns", podLabels, cidrs: [], ports: [5353] } };
    expect(networkPolicySpec(notes({ kubernetes: { network } })).egress).toEqual([
      {
        to: [
          {
            namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "openshift-dns" } },
            podSelector: { matchLabels: podLabels },
          },
        ],
        ports: [
          { protocol: "UDP", port: 5353 },
          { protocol: "TCP", port: 5353 },
        ],
      },
    ]);
  });

  test("the API of a cluster that listens elsewhere", () => {
    const gateway: Workload = { ...notes(), role: "gateway", network: { apiPorts: [16443] } };
    expect(networkPolicySpec(gateway).egress).toContainEqual({ ports: [{ protocol: "TCP", port: 16443 }] });
  });

  test("what the user allows", () => {
    const network = {
      ...{ ingressNamespaces: ["monitoring"], ingressCidrs: ["203.0.113.0/24"] },
      ...{ egressCidrs: ["0.0.0.0/0"], egressNamespaces: ["data"], egressPorts: [443, 8443] },
    };
    const { ingress, egress } = networkPolicySpec(notes({ kubernetes: { network } }));
    expect(ingress).toEqual([
      {
        from: [
          partOf("gateway"),
          { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "monitoring" } } },
          { ipBlock: { cidr: "203.0.113.0/24" } },
        ],
        ports: [{ protocol: "TCP", port: 3001 }],
      },
    ]);
    expect(egress).toEqual([
      dns,
      {
        to: [
          { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "data" } } },
          { ipBlock: { cidr: "0.0.0.0/0" } },
        ],
        ports: [
          { protocol: "TCP", port: 443 },
          { protocol: "TCP", port: 8443 },
        ],
      },
    ]);
  });
});
