import type { MonitoringStackArgs } from "./args.ts";

/** Every mistake in a stack's arguments for this platform: field, value, fix. */
export function kubernetesProblems({ kubernetes = {} }: MonitoringStackArgs): string[] {
  if (kubernetes.tokenSecretName !== undefined) return [];
  const why = "a gateway on Kubernetes answers /metrics with 401 without a token";
  const fix = "make a Secret with a token of the gateway's auth, and give its name";
  return [`kubernetes.tokenSecretName is missing, and ${why}; ${fix}`];
}
