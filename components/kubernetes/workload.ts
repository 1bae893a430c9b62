import type { types } from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { defaults } from "../defaults.ts";
import type { KubernetesPodArgs, KubernetesTolerationArgs, KubernetesVolumeArgs } from "./args.ts";
import { kubernetesDefaults } from "./defaults.ts";
import type { GatewayKubernetesNetworkArgs } from "./gateway-args.ts";
import { withUnit } from "./units.ts";

type EnvVar = types.input.core.v1.EnvVar;
type EnvFromSource = types.input.core.v1.EnvFromSource;
type Probe = types.input.core.v1.Probe;
type Volume = types.input.core.v1.Volume;
type VolumeMount = types.input.core.v1.VolumeMount;

/** What runs in pods: a fleet or a gateway, with every default applied. All builders of this folder take one. */
export interface Workload {
  /** Name of the Kubernetes objects. */
  readonly name: string;
  readonly namespace: pulumi.Input<string> | undefined;
  readonly role: "fleet" | "gateway";
  /** Labels that the user wants on every object. */
  readonly tags: Readonly<Record<string, pulumi.Input<string>>>;
  readonly image: pulumi.Input<string>;
  readonly imagePullPolicy: pulumi.Input<string>;
  readonly imagePullSecrets: readonly pulumi.Input<string>[];
  /** In place of the image's entry point; undefined leaves it. */
  readonly command: readonly pulumi.Input<string>[] | undefined;
  readonly args: pulumi.Input<pulumi.Input<string>[]> | undefined;
  readonly env: readonly EnvVar[];
  readonly port: number;
  /** How the port is spoken to. */
  readonly scheme: "http" | "https";
  readonly liveness: Probe;
  readonly readiness: Probe;
  readonly volumes: readonly Volume[];
  readonly mounts: readonly VolumeMount[];
  /** Changes of what is not in the pod's own text, such as secrets, which must renew the pods. */
  readonly podAnnotations: Readonly<Record<string, pulumi.Input<string>>>;
  readonly serviceAnnotations: Readonly<Record<string, pulumi.Input<string>>>;
  /** ConfigMaps and Secrets whose keys are variables of the container. */
  readonly envFrom: readonly EnvFromSource[];
  /** Of the container, and of what it writes. */
  readonly userId: pulumi.Input<number>;
  readonly cpuMillicores: pulumi.Input<number>;
  readonly memoryMiB: pulumi.Input<number>;
  /** Undefined where an autoscaler owns them. */
  readonly replicas: pulumi.Input<number> | undefined;
  readonly drainMs: pulumi.Input<number>;
  /** How long a new version may take to serve. */
  readonly rolloutSeconds: pulumi.Input<number>;
  readonly network: GatewayKubernetesNetworkArgs;
  readonly placement: Placement;
  readonly serviceAccountAnnotations: Readonly<Record<string, pulumi.Input<string>>>;
}

/** Where pods may run. */
export interface Placement {
  readonly nodeSelector: Record<string, pulumi.Input<string>> | undefined;
  readonly tolerations: KubernetesTolerationArgs[] | undefined;
  readonly priorityClassName: pulumi.Input<string> | undefined;
  readonly runtimeClassName: pulumi.Input<string> | undefined;
}

/** A user's wishes of where pods run. */
function placementOf(block: KubernetesPodArgs): Placement {
  const { nodeSelector, tolerations, priorityClassName, runtimeClassName } = block;
  return { nodeSelector, tolerations, priorityClassName, runtimeClassName };
}

/** What a user wishes of pods and Service, beside what every workload has. */
export function wishesOf(
  block: KubernetesPodArgs,
): Pick<Workload, "namespace" | "imagePullPolicy" | "imagePullSecrets" | "serviceAnnotations" | "envFrom" | "userId"> &
  Pick<Workload, "placement" | "serviceAccountAnnotations" | "rolloutSeconds"> {
  const { envConfigMaps = [], envSecrets = [] } = block;
  return {
    namespace: block.namespace,
    imagePullPolicy: block.imagePullPolicy ?? kubernetesDefaults.imagePullPolicy,
    imagePullSecrets: block.imagePullSecrets ?? [],
    serviceAnnotations: block.serviceAnnotations ?? {},
    envFrom: [
      ...envConfigMaps.map((name) => ({ configMapRef: { name } })),
      ...envSecrets.map((name) => ({ secretRef: { name } })),
    ],
    userId: block.userId ?? kubernetesDefaults.userId,
    rolloutSeconds: block.rolloutSeconds ?? kubernetesDefaults.rolloutSeconds,
    placement: placementOf(block),
    serviceAccountAnnotations: block.serviceAccountAnnotations ?? {},
  };
}

/** The folders that a user wants in the pods. */
export function ownVolumes({ volumes = [] }: KubernetesPodArgs): Pick<Workload, "volumes" | "mounts"> {
  return { volumes: volumes.map(volumeOf), mounts: volumes.map(mountOf) };
}

function volumeOf({ name, configMap, secret, persistentVolumeClaim, emptyDirMiB }: KubernetesVolumeArgs): Volume {
  if (configMap !== undefined) return { name, configMap: { name: configMap } };
  if (secret !== undefined) return { name, secret: { secretName: secret, defaultMode: 0o440 } };
  if (persistentVolumeClaim !== undefined) return { name, persistentVolumeClaim: { claimName: persistentVolumeClaim } };
  return { name, emptyDir: { sizeLimit: withUnit(emptyDirMiB as pulumi.Input<number>, "Mi") } };
}

function mountOf({ name, mountPath, configMap, secret, readOnly }: KubernetesVolumeArgs): VolumeMount {
  const unwritten = configMap !== undefined || secret !== undefined;
  return { name, mountPath, readOnly: unwritten ? true : (readOnly ?? false) };
}

/** The volume of a workload's secrets, readable for its user only; none without a Secret. */
export function secretVolume(secretName: pulumi.Input<string> | undefined): Pick<Workload, "volumes" | "mounts"> {
  if (secretName === undefined) return { volumes: [], mounts: [] };
  return {
    volumes: [{ name: "secrets", secret: { secretName, defaultMode: 0o440 } }],
    mounts: [{ name: "secrets", mountPath: defaults.secretsFolder, readOnly: true }],
  };
}
