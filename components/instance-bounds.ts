import type * as pulumi from "@pulumi/pulumi";

/** Bounds of an autoscaler, as given or by default, that contradict each other; what is known only later is not compared. */
export function boundsProblems(min: pulumi.Input<number>, max: pulumi.Input<number>): string[] {
  if (typeof min !== "number" || typeof max !== "number" || min <= max) return [];
  return [`scaling.minInstances: is ${min}, more than maxInstances (${max}); raise maxInstances or lower minInstances`];
}
