import type * as pulumi from "@pulumi/pulumi";
import type { KubernetesNetworkArgs, KubernetesPodArgs } from "./args.ts";

/** An Ingress in front of a gateway. */
export interface GatewayIngressArgs {
  /** Name by which clients call: `mcp.example.com`. */
  host: pulumi.Input<string>;
  /** Ingress class. Defaults to the cluster's. */
  className?: pulumi.Input<string>;
  /** Secret with the certificate. Plain, because it decides whether clients use https. Defaults to none. */
  tlsSecret?: string;
  /** Annotations that the controller reads. An update does not wait for the controller, unless `pulumi.com/skipAwait` is `false` here. Defaults to none. */
  annotations?: Record<string, pulumi.Input<string>>;
}

/** An HTTPRoute (Gateway API) in front of a gateway. */
export interface GatewayHttpRouteArgs {
  /** Name by which clients call: `mcp.example.com`. */
  host: pulumi.Input<string>;
  /** The Gateway (Gateway API) that takes the calls in. */
  parentName: pulumi.Input<string>;
  /** Its namespace. Defaults to this one. */
  parentNamespace?: pulumi.Input<string>;
  /** Its listener. Defaults to all that fit. */
  sectionName?: pulumi.Input<string>;
}

/** Who a gateway may reach, and from where. */
export interface GatewayKubernetesNetworkArgs extends KubernetesNetworkArgs {
  /** Ports of the cluster's API, behind its Service: 8443 on minikube, 16443 on MicroK8s. Defaults to 443 and 6443. */
  apiPorts?: pulumi.Input<number>[];
}

/** The `kubernetes` platform's own block of a gateway. */
export interface GatewayKubernetesArgs extends KubernetesPodArgs {
  /** Who may be reached, and from where. */
  network?: GatewayKubernetesNetworkArgs;
  /** `ClusterIP` or `LoadBalancer`; the latter needs `network.ingressCidrs`, and `allowedHosts` of the gateway, whose first host clients are given. Defaults to `ClusterIP`. Plain, because it decides what clients are given. */
  serviceType?: string;
  /** Class of the load balancer, where the cluster has several. Defaults to the cluster's. */
  loadBalancerClass?: pulumi.Input<string>;
  /** An Ingress; needs `network.ingressNamespaces` or `network.ingressCidrs`. Defaults to none. */
  ingress?: GatewayIngressArgs;
  /** An HTTPRoute, in place of an Ingress; needs the same. Defaults to none. */
  httpRoute?: GatewayHttpRouteArgs;
}
