import { randomBytes } from "node:crypto";
import { isTrue, type KubernetesObject } from "./objects.ts";

/**
 * Inputs with the name that the provider gives to what has none: the old one where the resource goes on, else the resource's
 * own with eight random digits (provider/pkg/metadata/naming.go: AdoptOldAutonameIfUnnamed, AssignNameIfAutonamable).
 */
export function named(
  inputs: KubernetesObject,
  olds: KubernetesObject | undefined,
  resourceName: string,
): KubernetesObject {
  if (inputs.metadata?.name !== undefined) return inputs;
  const kept = olds?.metadata !== undefined && isAutonamed(olds) ? olds.metadata.name : undefined;
  if (olds?.metadata !== undefined && kept === undefined) return inputs;
  const name = kept ?? `${resourceName}-${randomBytes(4).toString("hex")}`;
  const annotations = { ...inputs.metadata?.annotations, "pulumi.com/autonamed": "true" };
  return { ...inputs, metadata: { ...inputs.metadata, name, annotations } };
}

export const isAutonamed = (object: KubernetesObject): boolean => isTrue(object, "autonamed");
