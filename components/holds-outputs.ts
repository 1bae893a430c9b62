import * as pulumi from "@pulumi/pulumi";

/** Is any part of these arguments known only later? */
export function holdsOutputs(value: unknown): boolean {
  if (pulumi.Output.isInstance(value) || value instanceof Promise) return true;
  return typeof value === "object" && value !== null && Object.values(value).some(holdsOutputs);
}
