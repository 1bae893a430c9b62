import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import type { KubernetesExternalSecretArgs, KubernetesPodArgs } from "./args.ts";
import { kubernetesDefaults as defaults } from "./defaults.ts";
import type { Workload } from "./workload.ts";

/** Names of a workload's secrets, wherever their values come from. */
export function secretNames(block: KubernetesPodArgs | undefined, given: object | undefined): string[] {
  const { existingSecret, externalSecret } = block ?? {};
  return existingSecret?.keys ?? Object.keys(externalSecret?.keys ?? given ?? {});
}

/** A mark of these secrets' content: pods read them when they start, so a change must renew the pods. */
export function secretsDigest(given: Readonly<Record<string, pulumi.Input<string>>>): pulumi.Output<string> {
  return pulumi.secret(given).apply((values) => digest(JSON.stringify(Object.entries(values).sort())));
}

/** A short mark of a text's content. */
export function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}

/** An ExternalSecret (external-secrets.io/v1): its operator writes the Secret that the pods mount. */
export function externalSecretSpec({ name }: Workload, args: KubernetesExternalSecretArgs) {
  return {
    refreshInterval: args.refreshInterval ?? defaults.externalRefresh,
    secretStoreRef: { name: args.store, kind: args.storeKind ?? defaults.externalStoreKind },
    target: { name, creationPolicy: "Owner" },
    data: Object.entries(args.keys).map(([secretKey, key]) => ({ secretKey, remoteRef: { key } })),
  };
}
