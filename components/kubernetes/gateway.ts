import * as pulumi from "@pulumi/pulumi";
import { childOf } from "../child-of.ts";
import { unknownFleets } from "../gateway/reference-rules.ts";
import { checkedGateway } from "../gateway/resolve.ts";
import { InputError } from "../input-error.ts";
import type { PlatformComponents } from "../platforms.ts";
import { gatewayRules, roleBinding } from "./access.ts";
import { kubernetesDefaults as defaults } from "./defaults.ts";
import { gatewayConfig } from "./gateway-config.ts";
import { configFile, gatewayWorkload } from "./gateway-workload.ts";
import { withDrain } from "./grace.ts";
import { httpRouteSpec, ingressSpec } from "./ingress.ts";
import { metadataOf, namelessMetadata } from "./metadata.ts";
import { addressOf, autoscalerObject, kubernetesSdk, workloadObjects } from "./objects.ts";
import { gatewayProblems } from "./rules.ts";
import { statusOf } from "./status.ts";

/** A gateway as a Deployment of replicas that share nothing but the key of their sessions. */
export const gateway: PlatformComponents["gateway"] = (parent, name, given) => {
  const { component, common, args } = given;
  const problems = [...gatewayProblems(name, args), ...unknownFleets(args.fleets)];
  if (problems.length > 0) throw new InputError(component, problems);
  const { scaling: _, ...own } = common;
  checkedGateway(component, own);
  const settings = withDrain(given);
  const { kubernetes, scaling, secrets } = args;
  const { ingress, httpRoute, serviceType } = kubernetes ?? {};
  const sdk = kubernetesSdk(component);
  const child = childOf(parent);
  const described = gatewayWorkload(settings, "");
  const role = new sdk.rbac.v1.Role(
    `${name}-role`,
    { metadata: metadataOf(described), rules: [...gatewayRules] },
    child(),
  );
  // Without an argument the provider chooses the namespace; the first object that is made tells it.
  const namespace = kubernetes?.namespace ?? role.metadata.namespace.apply((space) => space ?? "default");
  const text = gatewayConfig(settings, namespace);
  // Pods of the old and of the new configuration each keep their own.
  const config = new sdk.core.v1.ConfigMap(
    `${name}-config`,
    {
      metadata: namelessMetadata(described),
      immutable: true,
      data: { [configFile]: text },
    },
    child(),
  );
  const workload = gatewayWorkload(settings, config.metadata.name);
  const metadata = metadataOf(workload);
  new sdk.rbac.v1.RoleBinding(
    `${name}-role-binding`,
    { metadata, ...roleBinding(workload) },
    child({ dependsOn: role }),
  );
  const { service, deployment, rollout } = workloadObjects(sdk, parent, name, workload, {
    block: kubernetes,
    secrets,
    serviceType,
    loadBalancerClass: kubernetes?.loadBalancerClass,
  });
  autoscalerObject(sdk, parent, name, workload, {
    minInstances: scaling?.minInstances ?? defaults.gatewayMinInstances,
    maxInstances: scaling?.maxInstances ?? defaults.gatewayMaxInstances,
    targetCpuPercent: scaling?.targetCpuPercent ?? defaults.targetCpuPercent,
    targetMemoryPercent: undefined,
    scaleDownAfterSeconds: kubernetes?.scaleDownAfterSeconds ?? defaults.scaleDownAfterSeconds,
  });
  const internalUrl = addressOf(service, workload.port, workload.scheme);
  let url: pulumi.Output<string> = internalUrl;
  if (serviceType === "LoadBalancer") {
    const host = pulumi.output(args.allowedHosts).apply((hosts) => (hosts as string[])[0]);
    url = service.id.apply(() => pulumi.interpolate`${workload.scheme}://${host}:${workload.port}`);
  }
  if (ingress !== undefined) {
    // Clients call a host that is known. The provider would wait for an address of the controller, where there is none
    // for ten minutes.
    const annotated = metadataOf(workload, { "pulumi.com/skipAwait": "true", ...ingress.annotations });
    const spec = ingressSpec(workload, ingress);
    const made = new sdk.networking.v1.Ingress(`${name}-ingress`, { metadata: annotated, spec }, child());
    const scheme = ingress.tlsSecret === undefined ? "http" : "https";
    url = made.id.apply(() => pulumi.interpolate`${scheme}://${ingress.host}`);
  }
  if (httpRoute !== undefined) {
    const kind = { apiVersion: "gateway.networking.k8s.io/v1", kind: "HTTPRoute", metadata };
    const spec = httpRouteSpec(workload, httpRoute);
    const made = new sdk.apiextensions.CustomResource(`${name}-route`, { ...kind, spec }, child());
    url = made.id.apply(() => pulumi.interpolate`https://${httpRoute.host}`);
  }
  return { url, internalUrl, status: rollout?.status ?? statusOf(deployment) };
};
