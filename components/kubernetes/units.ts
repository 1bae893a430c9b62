import * as pulumi from "@pulumi/pulumi";

/** A number as Kubernetes writes quantities: `withUnit(250, "m")`. Stays plain where the number is known. */
export function withUnit(value: pulumi.Input<number>, unit = ""): pulumi.Input<string> {
  return typeof value === "number" ? `${value}${unit}` : pulumi.interpolate`${value}${unit}`;
}
