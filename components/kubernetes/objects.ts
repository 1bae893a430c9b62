import type * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { childOf } from "../child-of.ts";
import { Platform } from "../platform.ts";
import { providerSdk } from "../provider-sdk.ts";
import type { KubernetesPodArgs } from "./args.ts";
import { type AutoscalerBounds, autoscalerMetadata, autoscalerSpec } from "./autoscaler.ts";
import { clusterAccess } from "./cluster-access.ts";
import { kubernetesDefaults as defaults } from "./defaults.ts";
import { deploymentMetadata, deploymentSpec } from "./deployment.ts";
import { disruptionBudgetSpec } from "./disruption-budget.ts";
import { metadataOf } from "./metadata.ts";
import { networkPolicySpec } from "./network-policy.ts";
import { type KubernetesRollout, kindsIn, rolloutOf } from "./rollout.ts";
import { externalSecretSpec } from "./secrets.ts";
import { serviceMetadata, serviceSpec } from "./service.ts";
import type { Workload } from "./workload.ts";

/** The SDK, which is loaded only where something is deployed to a cluster. */
export type Kubernetes = typeof k8s;

/** Loads it. Throws InputError when it is not installed. */
export function kubernetesSdk(component: string): Kubernetes {
  return providerSdk<Kubernetes>(component, Platform.Kubernetes, "@pulumi/kubernetes");
}

/** What of a workload others refer to. */
export interface WorkloadObjects {
  readonly deployment: k8s.apps.v1.Deployment;
  /** Undefined where the provider itself waits, because its cluster cannot be asked otherwise. */
  readonly rollout: KubernetesRollout | undefined;
  readonly service: k8s.core.v1.Service;
}

/** What is made for every workload: only here and in `index.ts` is anything made at all. */
export function workloadObjects(
  sdk: Kubernetes,
  parent: pulumi.Resource,
  name: string,
  workload: Workload,
  more: {
    readonly block: KubernetesPodArgs | undefined;
    readonly secrets: Readonly<Record<string, pulumi.Input<string>>> | undefined;
    readonly serviceType?: string | undefined;
    readonly loadBalancerClass?: pulumi.Input<string> | undefined;
  },
): WorkloadObjects {
  const child = childOf(parent);
  const metadata = metadataOf(workload);
  const account = new sdk.core.v1.ServiceAccount(
    `${name}-account`,
    {
      metadata: metadataOf(workload, workload.serviceAccountAnnotations),
      automountServiceAccountToken: false,
    },
    child(),
  );
  const policy = new sdk.networking.v1.NetworkPolicy(
    `${name}-network`,
    { metadata, spec: networkPolicySpec(workload) },
    child(),
  );
  const secret = secretObject(sdk, parent, name, workload, more);
  const cluster = clusterAccess(parent);
  const deployment = new sdk.apps.v1.Deployment(
    `${name}-deployment`,
    { metadata: deploymentMetadata(workload, cluster !== undefined), spec: deploymentSpec(workload) },
    child({
      // No pod before what keeps it apart, what it runs as, and what it reads.
      dependsOn: [account, policy, ...secret],
      // An autoscaler that takes over finds as many pods as there are. To give the number up would leave one.
      ...(workload.replicas === undefined ? { ignoreChanges: ["spec.replicas"] } : {}),
      customTimeouts: waitsOf(workload),
    }),
  );
  const rollout = cluster && rolloutOf(name, workload, deployment, cluster, kindsIn(more.block), child());
  const service = new sdk.core.v1.Service(
    `${name}-service`,
    {
      metadata: serviceMetadata(workload, rollout !== undefined),
      spec: serviceSpec(workload, more.serviceType, more.loadBalancerClass),
    },
    // Its address is of use when something serves it.
    child({ dependsOn: rollout ?? deployment, customTimeouts: waitsOf(workload) }),
  );
  new sdk.policy.v1.PodDisruptionBudget(`${name}-budget`, { metadata, spec: disruptionBudgetSpec(workload) }, child());
  return { deployment, rollout, service };
}

/**
 * How long the provider waits for an object: of a bound that is known only later, its own ten minutes. Pods that end have
 * the grace period, and somewhat more.
 */
function waitsOf({ rolloutSeconds }: Workload): pulumi.CustomTimeouts {
  const ended = { delete: `${defaults.longestGraceSeconds + 300}s` };
  if (typeof rolloutSeconds !== "number") return ended;
  return { create: `${rolloutSeconds}s`, update: `${rolloutSeconds}s`, ...ended };
}

/** A workload's HorizontalPodAutoscaler, which owns the replicas of its Deployment. */
export function autoscalerObject(
  sdk: Kubernetes,
  parent: pulumi.Resource,
  name: string,
  workload: Workload,
  bounds: AutoscalerBounds,
): void {
  new sdk.autoscaling.v2.HorizontalPodAutoscaler(
    `${name}-autoscaler`,
    { metadata: autoscalerMetadata(workload), spec: autoscalerSpec(workload, bounds) },
    childOf(parent)(),
  );
}

function secretObject(
  sdk: Kubernetes,
  parent: pulumi.Resource,
  name: string,
  workload: Workload,
  { block, secrets }: Parameters<typeof workloadObjects>[4],
): pulumi.Resource[] {
  const metadata = metadataOf(workload);
  const child = childOf(parent);
  if (block?.externalSecret !== undefined) {
    const spec = externalSecretSpec(workload, block.externalSecret);
    const kind = { apiVersion: "external-secrets.io/v1", kind: "ExternalSecret" };
    return [new sdk.apiextensions.CustomResource(`${name}-secret`, { ...kind, metadata, spec }, child())];
  }
  if (secrets === undefined) return [];
  return [new sdk.core.v1.Secret(`${name}-secret`, { metadata, stringData: secrets }, child())];
}

/** Where pods reach a Service: `http://mcp-search.tools:3001`. */
export function addressOf(service: k8s.core.v1.Service, port: number, scheme = "http"): pulumi.Output<string> {
  return pulumi.interpolate`${scheme}://${service.metadata.name}.${namespaceOf(service)}:${port}`;
}

/** The namespace that the provider put a Service in. */
export function namespaceOf({ metadata }: k8s.core.v1.Service): pulumi.Output<string> {
  return metadata.namespace.apply((space) => space ?? "default");
}
