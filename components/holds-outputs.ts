import * as pulumi from "@pulumi/pulumi";

/** Is this known only later? */
export function isLater(value: unknown): boolean {
  return pulumi.Output.isInstance(value) || value instanceof Promise;
}

/** Is any part of these arguments known only later? */
export function holdsOutputs(value: unknown): boolean {
  if (isLater(value)) return true;
  return typeof value === "object" && value !== null && Object.values(value).some(holdsOutputs);
}
