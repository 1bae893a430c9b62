import type { types } from "@pulumi/kubernetes";
import { kubernetesDefaults as defaults } from "./defaults.ts";
import { graceSeconds } from "./grace.ts";
import { selectorOf } from "./metadata.ts";
import { withUnit } from "./units.ts";
import type { Workload } from "./workload.ts";

type Container = types.input.core.v1.Container;
type PodSpec = types.input.core.v1.PodSpec;

/** A pod of a workload, as the `restricted` Pod Security Standard wants it. */
export function podSpec(workload: Workload): PodSpec {
  const { name, imagePullSecrets, placement, volumes } = workload;
  return {
    serviceAccountName: name,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: graceSeconds(workload.drainMs),
    securityContext: {
      runAsNonRoot: true,
      runAsUser: workload.userId,
      runAsGroup: workload.userId,
      fsGroup: workload.userId,
      seccompProfile: { type: "RuntimeDefault" },
    },
    containers: [container(workload)],
    volumes: [{ name: "tmp", emptyDir: { sizeLimit: `${defaults.temporaryMiB}Mi` } }, ...volumes],
    topologySpreadConstraints: ["topology.kubernetes.io/zone", "kubernetes.io/hostname"].map((topologyKey) => ({
      topologyKey,
      maxSkew: 1,
      // Better unevenly spread than not running.
      whenUnsatisfiable: "ScheduleAnyway",
      labelSelector: { matchLabels: selectorOf(workload) },
      matchLabelKeys: ["pod-template-hash"],
    })),
    ...(imagePullSecrets.length === 0 ? {} : { imagePullSecrets: imagePullSecrets.map((name) => ({ name })) }),
    ...(placement.nodeSelector === undefined ? {} : { nodeSelector: placement.nodeSelector }),
    ...(placement.tolerations === undefined ? {} : { tolerations: placement.tolerations }),
    ...(placement.priorityClassName === undefined ? {} : { priorityClassName: placement.priorityClassName }),
    ...(placement.runtimeClassName === undefined ? {} : { runtimeClassName: placement.runtimeClassName }),
  };
}

function container(workload: Workload): Container {
  const { role, image, imagePullPolicy, command, args, env, envFrom, port, mounts, cpuMillicores, memoryMiB } =
    workload;
  const memory = withUnit(memoryMiB, "Mi");
  return {
    name: role,
    image,
    imagePullPolicy,
    ...(command === undefined ? {} : { command: [...command] }),
    ...(args === undefined ? {} : { args }),
    env: [...env],
    ...(envFrom.length === 0 ? {} : { envFrom: [...envFrom] }),
    ports: [{ name: "http", containerPort: port }],
    resources: {
      // No limit of processor time: it would stop the process for the rest of each period, with time to spare on the node.
      requests: { cpu: withUnit(cpuMillicores, "m"), memory },
      limits: { memory },
    },
    // Packages may be unpacked at the first start.
    startupProbe: { ...workload.liveness, periodSeconds: 2, failureThreshold: 90 },
    livenessProbe: { ...workload.liveness, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 3 },
    readinessProbe: { ...workload.readiness, periodSeconds: 5, timeoutSeconds: 5, failureThreshold: 2 },
    lifecycle: { preStop: { sleep: { seconds: defaults.preStopSeconds } } },
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    },
    volumeMounts: [{ name: "tmp", mountPath: "/tmp" }, ...mounts],
  };
}
