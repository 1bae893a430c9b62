import type { GraphNode } from "./graph.ts";

interface PodOf {
  readonly hostNetwork?: boolean;
  readonly automountServiceAccountToken?: boolean;
  readonly securityContext?: { readonly runAsNonRoot?: boolean; readonly seccompProfile?: { readonly type?: string } };
  readonly volumes?: readonly Record<string, unknown>[];
  readonly containers: readonly {
    readonly securityContext?: {
      readonly allowPrivilegeEscalation?: boolean;
      readonly readOnlyRootFilesystem?: boolean;
      readonly privileged?: boolean;
      readonly capabilities?: { readonly drop?: readonly string[]; readonly add?: readonly string[] };
    };
  }[];
}

const allowedVolumes = [
  "configMap",
  "csi",
  "downwardAPI",
  "emptyDir",
  "ephemeral",
  "persistentVolumeClaim",
  "projected",
  "secret",
];

/** What of a Deployment the `restricted` Pod Security Standard, or our own rule for tokens and file systems, forbids. */
export function violations({ type, name, inputs }: GraphNode): string[] {
  if (type !== "kubernetes:apps/v1:Deployment") return [];
  const { spec } = (inputs.spec as { template: { spec: PodOf } }).template;
  const rules: [boolean, string][] = [
    [spec.hostNetwork === undefined, "host network"],
    [spec.automountServiceAccountToken === false, "service account token"],
    [spec.securityContext?.runAsNonRoot === true, "root"],
    [spec.securityContext?.seccompProfile?.type === "RuntimeDefault", "seccomp"],
    [(spec.volumes ?? []).every((volume) => allowedVolumes.some((kind) => kind in volume)), "volumes"],
    ...spec.containers.flatMap(({ securityContext }): [boolean, string][] => [
      [securityContext?.allowPrivilegeEscalation === false, "privilege escalation"],
      [securityContext?.readOnlyRootFilesystem === true, "root file system"],
      [securityContext?.privileged === undefined, "privileged"],
      [securityContext?.capabilities?.drop?.includes("ALL") === true, "capabilities dropped"],
      [securityContext?.capabilities?.add === undefined, "capabilities added"],
    ]),
  ];
  return rules.filter(([kept]) => !kept).map(([, rule]) => `${name}: ${rule}`);
}
