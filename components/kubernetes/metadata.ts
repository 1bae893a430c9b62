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

/**
 * What somebody else has changed is put back: without force the API server refuses a field that has another manager. It
 * is asked for every object by itself, because a component makes no provider.
 */
export const forced = Object.freeze({ "pulumi.com/patchForce": "true" });

/** Metadata of a workload's object. */
export function metadataOf(workload: Workload, annotations: ObjectMeta["annotations"] = {}): ObjectMeta {
  return { name: workload.name, ...namelessMetadata(workload), annotations: { ...forced, ...annotations } };
}

/**
 * Metadata of an object that never changes, such as a gateway's ConfigMap: the provider gives each content a name of its
 * own. A name made of the content would be taken when a failed update is reverted: what that has left is deleted last.
 */
export function namelessMetadata(workload: Workload): ObjectMeta {
  const { namespace } = workload;
  return { ...(namespace === undefined ? {} : { namespace }), labels: labelsOf(workload) };
}
