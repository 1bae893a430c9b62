import type * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { KubernetesRolloutInputs } from "../../runtime/config/schema/index.ts";
import { fleetCommand } from "../process/command.ts";
import { rolloutProvider } from "../process/provider.ts";
import type { FleetKubernetesArgs, KubernetesPodArgs } from "./args.ts";
import type { GivenAccess } from "./cluster-access.ts";
import type { GatewayKubernetesArgs } from "./gateway-args.ts";
import { digest } from "./secrets.ts";
import type { Workload } from "./workload.ts";

type Asked = { readonly [Key in keyof KubernetesRolloutInputs]: unknown };

const provider = rolloutProvider();

/** A Deployment's rollout: there once every pod is of the declared version and ready. */
export class KubernetesRollout extends pulumi.dynamic.Resource {
  declare readonly status: pulumi.Output<string>;

  constructor(name: string, inputs: Asked, opts: pulumi.CustomResourceOptions) {
    const all = { ...inputs, status: undefined, command: { ...fleetCommand() } };
    // A kubeconfig holds keys.
    const options = { ...opts, additionalSecretOutputs: ["cluster"] };
    super(provider, name, all, options, "mcp-fleet", "KubernetesRollout");
  }
}

/**
 * Waits for a Deployment. The provider takes an old event for the new state when another Deployment was waited for before
 * (docs/decisions/0016-rollouts.md), and does not say what a pod has written last.
 */
export function rolloutOf(
  name: string,
  workload: Workload,
  deployment: k8s.apps.v1.Deployment,
  cluster: GivenAccess,
  kinds: readonly string[],
  opts: pulumi.CustomResourceOptions,
): KubernetesRollout {
  const { metadata, spec } = deployment;
  const inputs = {
    namespace: metadata.namespace.apply((space) => space ?? "default"),
    name: metadata.name,
    uid: metadata.uid,
    // What is in the cluster, whatever a transform or an admission controller has made of the declaration.
    revision: pulumi.output([spec.template, workload.replicas]).apply((made) => digest(ordered(made))),
    timeoutSeconds: workload.rolloutSeconds,
    ...(kinds.length === 0 ? {} : { kinds: [...kinds] }),
    ...(Object.keys(cluster).length === 0 ? {} : { cluster }),
  };
  return new KubernetesRollout(`${name}-rollout`, inputs, opts);
}

/** Kinds that operators of the cluster define, and that a fleet or gateway with this block is made of. */
export function kindsIn(block: KubernetesPodArgs | undefined): string[] {
  const { autoscaler, externalSecret, httpRoute } = { ...(block as FleetKubernetesArgs & GatewayKubernetesArgs) };
  return [
    ...(autoscaler === "keda" ? ["keda.sh/v1alpha1/ScaledObject"] : []),
    ...(externalSecret === undefined ? [] : ["external-secrets.io/v1/ExternalSecret"]),
    ...(httpRoute === undefined ? [] : ["gateway.networking.k8s.io/v1/HTTPRoute"]),
  ];
}

/** JSON in which the order of keys does not count. */
function ordered(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    typeof item === "object" && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([one], [other]) => (one < other ? -1 : 1)))
      : item,
  );
}
