import type { types } from "@pulumi/kubernetes";
import type { GatewayHttpRouteArgs, GatewayIngressArgs } from "./gateway-args.ts";
import type { Workload } from "./workload.ts";

/** An Ingress in front of a gateway's Service. */
export function ingressSpec(
  { name }: Workload,
  { host, className, tlsSecret }: GatewayIngressArgs,
): types.input.networking.v1.IngressSpec {
  const backend = { service: { name, port: { name: "http" } } };
  return {
    ...(className === undefined ? {} : { ingressClassName: className }),
    ...(tlsSecret === undefined ? {} : { tls: [{ hosts: [host], secretName: tlsSecret }] }),
    rules: [{ host, http: { paths: [{ path: "/", pathType: "Prefix", backend }] } }],
  };
}

/** An HTTPRoute (gateway.networking.k8s.io/v1) in front of a gateway's Service. Streams last as long as their client wants. */
export function httpRouteSpec({ name, port }: Workload, route: GatewayHttpRouteArgs) {
  const { parentName, parentNamespace, sectionName, host } = route;
  return {
    parentRefs: [
      {
        name: parentName,
        ...(parentNamespace === undefined ? {} : { namespace: parentNamespace }),
        ...(sectionName === undefined ? {} : { sectionName }),
      },
    ],
    hostnames: [host],
    rules: [
      {
        matches: [{ path: { type: "PathPrefix", value: "/" } }],
        backendRefs: [{ name, port }],
        timeouts: { request: "0s" },
      },
    ],
  };
}
