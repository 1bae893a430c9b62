import * as kubernetes from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";

/** The stack's namespace: only pods under the `restricted` Pod Security Standard are let in. */
export function restrictedNamespace(name: string): pulumi.Output<string> {
  const levels = ["enforce", "audit", "warn"].map((mode) => [`pod-security.kubernetes.io/${mode}`, "restricted"]);
  const namespace = new kubernetes.core.v1.Namespace("namespace", {
    metadata: { name, labels: { "app.kubernetes.io/part-of": "mcp-fleet", ...Object.fromEntries(levels) } },
  });
  return namespace.metadata.name;
}
