import type * as pulumi from "@pulumi/pulumi";

/** Options of a component's children: whatever else they need, their parent is the component. */
export function childOf(
  parent: pulumi.Resource,
): (extra?: pulumi.CustomResourceOptions) => pulumi.CustomResourceOptions {
  return (extra = {}) => ({ parent, ...extra });
}
