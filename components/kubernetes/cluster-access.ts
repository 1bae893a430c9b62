import * as pulumi from "@pulumi/pulumi";
import type { ClusterAccess } from "../../runtime/config/schema/index.ts";

/** A cluster's access, as far as a program says it. */
export type GivenAccess = { readonly [Key in keyof ClusterAccess]?: pulumi.Input<string | undefined> };

/**
 * How the provider of a component reaches its cluster: what the program or the stack has given it, nothing where it finds
 * the cluster by itself. Undefined when that cannot be known: to a program in another language a provider shows nothing.
 */
export function clusterAccess(parent: pulumi.Resource): GivenAccess | undefined {
  const provider = parent.getProvider("kubernetes:apps/v1:Deployment");
  if (provider !== undefined) {
    if (!("kubeconfig" in provider)) return undefined;
    const { kubeconfig, context } = provider as unknown as Record<
      keyof ClusterAccess,
      pulumi.Output<string | undefined>
    >;
    return { kubeconfig, context };
  }
  const config = new pulumi.Config("kubernetes");
  const [kubeconfig, context] = [config.getSecret("kubeconfig"), config.get("context")];
  return { ...(kubeconfig === undefined ? {} : { kubeconfig }), ...(context === undefined ? {} : { context }) };
}
