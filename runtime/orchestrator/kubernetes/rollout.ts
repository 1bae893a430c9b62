/** The parts of a Deployment (apps/v1) that are read. */
export interface Deployment {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly generation?: number;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: {
    readonly replicas?: number;
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
  };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly updatedReplicas?: number;
    readonly availableReplicas?: number;
    readonly conditions?: readonly Condition[];
  };
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

/** The parts of a ReplicaSet that are read. */
export interface ReplicaSet {
  readonly metadata: {
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly { readonly uid: string }[];
  };
}

/** The parts of a Pod that are read. */
export interface Pod {
  readonly metadata: {
    readonly name: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
  };
  readonly status?: {
    readonly conditions?: readonly Condition[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
    readonly containerStatuses?: readonly ContainerStatus[];
  };
}

interface ContainerStatus {
  readonly name: string;
  readonly ready: boolean;
  readonly restartCount: number;
  readonly state?: ContainerState;
  readonly lastState?: ContainerState;
}

interface ContainerState {
  readonly waiting?: { readonly reason?: string; readonly message?: string };
  readonly terminated?: { readonly reason?: string; readonly message?: string; readonly exitCode: number };
}

/** What keeps a pod from serving. */
export interface Trouble {
  /** Undefined where no pod could be made at all. */
  readonly pod?: string;
  readonly container?: string;
  readonly reason: string;
  /** Has the container ended, so that the log of the run before says why? */
  readonly ended: boolean;
  /** Does it not mend itself by waiting, as far as one can tell? */
  readonly lasting: boolean;
}

const revision = "deployment.kubernetes.io/revision";
/** Reasons of a waiting container that belong to every start. */
const starting = ["ContainerCreating", "PodInitializing"];

/**
 * `running` when pods of the version that was declared last serve, `degraded` while only earlier ones do, `stopped` when
 * none does. Available pods alone do not tell: those of the earlier version are available too.
 */
export function statusOf(deployment: Deployment): "running" | "degraded" | "stopped" {
  const { replicas = 0, updatedReplicas = 0, availableReplicas = 0 } = deployment.status ?? {};
  const atRest = (deployment.spec.replicas ?? 1) === 0;
  if (isObserved(deployment) && updatedReplicas === replicas && (availableReplicas > 0 || atRest)) return "running";
  return availableReplicas > 0 ? "degraded" : "stopped";
}

/** Are all pods of the version that was declared last, and available? As `kubectl rollout status` has it. */
export function isComplete(deployment: Deployment): boolean {
  const { replicas = 0, updatedReplicas = 0, availableReplicas = 0 } = deployment.status ?? {};
  const wanted = deployment.spec.replicas ?? 1;
  const updated = updatedReplicas >= wanted && replicas === updatedReplicas;
  return isObserved(deployment) && updated && availableReplicas >= updatedReplicas;
}

function isObserved({ metadata, status }: Deployment): boolean {
  return (status?.observedGeneration ?? 0) >= (metadata.generation ?? 1);
}

/** The pods of the version that was declared last. */
export function newPods(deployment: Deployment, replicaSets: readonly ReplicaSet[], pods: readonly Pod[]): Pod[] {
  const { uid, annotations } = deployment.metadata;
  const current = replicaSets.find(
    ({ metadata }) =>
      metadata.ownerReferences?.some((owner) => owner.uid === uid) &&
      metadata.annotations?.[revision] === annotations?.[revision],
  );
  const hash = current?.metadata.labels?.["pod-template-hash"];
  if (hash === undefined || !isObserved(deployment)) return [];
  return pods.filter(
    ({ metadata }) => metadata.labels?.["pod-template-hash"] === hash && metadata.deletionTimestamp === undefined,
  );
}

/** What keeps these pods from serving: first what does not mend itself. */
export function troubleOf(deployment: Deployment, pods: readonly Pod[]): Trouble | undefined {
  const found = pods.flatMap(troublesOfPod);
  const failed = deployment.status?.conditions?.find(
    ({ type, status }) => type === "ReplicaFailure" && status === "True",
  );
  if (failed !== undefined) found.push({ reason: worded(failed), ended: false, lasting: true });
  return found.find(({ lasting }) => lasting) ?? found[0];
}

function troublesOfPod({ metadata: { name: pod }, status = {} }: Pod): Trouble[] {
  const unscheduled = status.conditions?.find(({ type, status }) => type === "PodScheduled" && status === "False");
  if (unscheduled !== undefined) return [{ pod, reason: worded(unscheduled), ended: false, lasting: false }];
  const containers = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
  return containers.flatMap((container): Trouble[] => {
    const { name, ready, restartCount, state, lastState } = container;
    const ended = state?.terminated ?? lastState?.terminated;
    if (ready || (ended?.exitCode === 0 && restartCount === 0)) return [];
    const { waiting } = state ?? {};
    if (restartCount > 0 && ended !== undefined) {
      const backOff = waiting?.reason === undefined ? "restarted" : waiting.reason;
      const why = ended.message === undefined ? "" : `: ${ended.message.trim()}`;
      const reason = `${backOff}: ${ended.reason ?? "ended"} with exit code ${ended.exitCode}${why}`;
      return [{ pod, container: name, reason, ended: state?.terminated === undefined, lasting: true }];
    }
    if (waiting?.reason !== undefined && !starting.includes(waiting.reason))
      return [{ pod, container: name, reason: worded(waiting), ended: false, lasting: true }];
    return [{ pod, container: name, reason: waiting?.reason ?? "not ready", ended: false, lasting: false }];
  });
}

function worded({ reason = "unknown", message }: { readonly reason?: string; readonly message?: string }): string {
  return message === undefined || message === "" ? reason : `${reason}: ${message}`;
}

/** How far the rollout is, in a few words. */
export function progressOf(deployment: Deployment): string {
  const { updatedReplicas = 0, replicas = 0, availableReplicas = 0 } = deployment.status ?? {};
  if (!isObserved(deployment)) return "the change is not yet seen by the cluster's controller";
  const old = replicas - updatedReplicas;
  const ready = Math.max(availableReplicas - old, 0);
  const left = old > 0 ? `, ${old} of the earlier version left` : "";
  return `${ready} of ${deployment.spec.replicas ?? 1} new pods are ready${left}`;
}
