import * as pulumi from "@pulumi/pulumi";

/** What inputs and outputs are, once they are known. */
export const known = <T>(value: T): Promise<pulumi.Unwrap<T>> =>
  new Promise((resolve) => pulumi.output(value).apply((found) => resolve(found as pulumi.Unwrap<T>)));
