import * as pulumi from "@pulumi/pulumi";

/** What is known now of arguments: the rest, and keys without a value, left out. */
export function knownPart(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter(isKnown).map(knownPart);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, item]) => isKnown(item));
  return Object.fromEntries(entries.map(([key, item]) => [key, knownPart(item)]));
}

function isKnown(value: unknown): boolean {
  return value !== undefined && !pulumi.Output.isInstance(value) && !(value instanceof Promise);
}
