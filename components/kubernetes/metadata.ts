import type { types } from "@pulumi/kubernetes";
import type { Workload } from "./workload.ts";

type ObjectMeta = types.input.meta.v1.ObjectMeta;

/** What tells one workload's pods from all others, for good: a selector cannot be changed later. */
export function selectorOf({ name, role }: Pick<Workload, "name" | "role">): Record<string, string> {
  return { "app.kubernetes.io/name": name, "app.kubernetes.io/component": role };
}

/** The recommended labels (kubernetes.io/docs/concepts/overview/working-with-objects/common-labels), and the user's. */
export function labelsOf(workload: Workload): NonNullable<ObjectMeta["labels"]> {
  return {
    ...workload.tags,
    ...selectorOf(workload),
    "app.kubernetes.io/part-of": "mcp-fleet",
    "app.kubernetes.io/managed-by": "pulumi",
  };
}

/** Metadata of a workload's object. */
export function metadataOf(workload: Workload, name: ObjectMeta["name"] = workload.name): ObjectMeta {
  const { namespace } = workload;
  return { name, ...(namespace === undefined ? {} : { namespace }), labels: labelsOf(workload) };
}
