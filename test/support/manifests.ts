import type { GraphNode } from "./graph.ts";

/** A Kubernetes object as a file for `kubectl` has it. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
}

/** The objects that a graph declares, as the provider sends them to the cluster: it names those that have no name. */
export function manifestsOf(graph: readonly GraphNode[]): Manifest[] {
  return graph
    .filter(({ type }) => type.startsWith("kubernetes:"))
    .map(({ name, inputs }) => {
      const manifest = opened(inputs) as Manifest;
      return { ...manifest, metadata: { ...manifest.metadata, name: manifest.metadata.name ?? `${name}-0a1b2c3d` } };
    });
}

/** Inputs with their secrets as they are. */
export function opened(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(opened);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value);
  if (entries.length === 1 && entries[0]?.[0] === "secret" && isWrapped(entries[0][1])) return opened(entries[0][1]);
  return Object.fromEntries(entries.map(([key, item]) => [key, opened(item)]));
}

/** A volume's `secret` is an object with a name; a wrapped secret is a text or the data of a Secret. */
function isWrapped(value: unknown): boolean {
  return typeof value !== "object" || value === null || !("secretName" in value);
}
