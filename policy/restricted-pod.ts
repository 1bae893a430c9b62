/** The part of a pod's specification that is looked at. */
interface Pod {
  readonly hostNetwork?: boolean;
  readonly hostPID?: boolean;
  readonly hostIPC?: boolean;
  readonly automountServiceAccountToken?: boolean;
  readonly securityContext?: { readonly runAsNonRoot?: boolean; readonly seccompProfile?: { readonly type?: string } };
  readonly volumes?: readonly Readonly<Record<string, unknown>>[];
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
}

interface Container {
  readonly name: string;
  readonly securityContext?: {
    readonly allowPrivilegeEscalation?: boolean;
    readonly readOnlyRootFilesystem?: boolean;
    readonly privileged?: boolean;
    readonly capabilities?: { readonly drop?: readonly string[]; readonly add?: readonly string[] };
  };
}

const volumeKinds = [
  ...["configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"],
];
const capabilities = ["NET_BIND_SERVICE"];

/**
 * What in a pod the `restricted` Pod Security Standard forbids (kubernetes.io/docs/concepts/security/pod-security-standards),
 * and what this package adds: a read-only root file system, and no service account token that is not asked for.
 */
export function podProblems(pod: Pod): string[] {
  const own: [boolean, string][] = [
    [
      !pod.hostNetwork && !pod.hostPID && !pod.hostIPC,
      "shares a namespace of its node; remove hostNetwork, hostPID and hostIPC",
    ],
    [
      pod.automountServiceAccountToken === false,
      "mounts a service account token; set automountServiceAccountToken to false",
    ],
    [pod.securityContext?.runAsNonRoot === true, "may run as root; set securityContext.runAsNonRoot to true"],
    [
      ["RuntimeDefault", "Localhost"].includes(pod.securityContext?.seccompProfile?.type ?? ""),
      "has no seccomp profile; set securityContext.seccompProfile.type to RuntimeDefault",
    ],
    [
      (pod.volumes ?? []).every((volume) => volumeKinds.some((kind) => volume[kind] !== undefined)),
      `has a volume of the node; use one of ${volumeKinds.join(", ")}`,
    ],
  ];
  const containers = [...pod.containers, ...(pod.initContainers ?? [])].flatMap(containerProblems);
  return [...own.filter(([kept]) => !kept).map(([, problem]) => problem), ...containers];
}

function containerProblems({ name, securityContext }: Container): string[] {
  const { allowPrivilegeEscalation, readOnlyRootFilesystem, privileged, capabilities: set } = securityContext ?? {};
  const rules: [boolean, string][] = [
    [!privileged, "is privileged; remove privileged"],
    [allowPrivilegeEscalation === false, "may gain privileges; set allowPrivilegeEscalation to false"],
    [readOnlyRootFilesystem === true, "can write its root file system; set readOnlyRootFilesystem to true"],
    [set?.drop?.includes("ALL") === true, "keeps capabilities; set capabilities.drop to [ALL]"],
    [(set?.add ?? []).every((one) => capabilities.includes(one)), "adds capabilities; remove capabilities.add"],
  ];
  return rules.filter(([kept]) => !kept).map(([, problem]) => `container ${name} ${problem}`);
}
