import { setTimeout as sleep } from "node:timers/promises";
import { listed, live as read } from "./kubectl.ts";
import { annotationOf, isTrue, type KubernetesObject } from "./objects.ts";

const defaultSeconds = 600;
const revision = "deployment.kubernetes.io/revision";

/** An object that is there and does not work: its state is kept all the same. */
export class NotReady extends Error {
  readonly object: KubernetesObject;
  readonly reasons: readonly string[];

  constructor(message: string, object: KubernetesObject, reasons: readonly string[]) {
    super(message);
    this.object = object;
    this.reasons = reasons;
  }
}

/** Namespaces in which a Deployment has been awaited: their informer is shared and goes on (await/informers). */
const informed = new Set<string>();

/**
 * Waits as the provider does after it has made or changed an object (await.go, Creation and Update; metadata/overrides.go,
 * ReadyCondition). `before` is the object before the change. Rejects with NotReady.
 */
export async function awaited(
  object: KubernetesObject,
  before: KubernetesObject | undefined,
  seconds: number,
): Promise<KubernetesObject> {
  if (isTrue(object, "skipAwait") || troublesOf[object.kind] === undefined) return object;
  const waitFor = annotationOf(object, "waitFor");
  const place = object.metadata.namespace ?? "default";
  const shared = object.kind === "Deployment" && waitFor === undefined && informed.has(place);
  if (object.kind === "Deployment" && waitFor === undefined) informed.add(place);
  // The fault: the cached event of the Deployment before its change ends the wait for the controller, and the new generation
  // with the status of the old one is taken for a success (await/deployment.go, waitUntilDeploymentControllerReconciles).
  if (shared && before !== undefined && isObserved(before) && (await troublesOfDeployment(before)).length === 0)
    return object;
  const until = Date.now() + (seconds > 0 ? seconds : defaultSeconds) * 1000;
  for (;;) {
    const now = await read(object);
    if (now === undefined) throw new Error(`${object.metadata.name} has gone while it was waited for`);
    const reasons = waitFor === undefined ? await (troublesOf[object.kind] as Troubles)(now) : waitingFor(waitFor, now);
    if (isObserved(now) && reasons.length === 0) return now;
    if (Date.now() > until) throw new NotReady(`'${now.metadata.name}' timed out waiting to be Ready`, now, reasons);
    await sleep(500);
  }
}

/** What is wrong with an object that is read again (await.go, Read). Rejects with NotReady. */
export async function checkedWhenRead(object: KubernetesObject): Promise<void> {
  if (isTrue(object, "skipAwait")) return;
  const reasons = (await troublesOf[object.kind]?.(object)) ?? [];
  if (reasons.length === 0) return;
  throw new NotReady(`Resource '${object.metadata.name}' was created but failed to initialize`, object, reasons);
}

type Troubles = (object: KubernetesObject) => Promise<string[]>;

/** Kinds of objects that are awaited (await/awaiters.go), as far as the components make them. */
const troublesOf: Readonly<Record<string, Troubles>> = {
  Deployment: troublesOfDeployment,
  Service: troublesOfService,
  Ingress: async ({ status }) =>
    addresses(status).length > 0
      ? []
      : ["Ingress .status.loadBalancer field was not updated with a hostname/IP address."],
};

function isObserved({ metadata, status, kind }: KubernetesObject): boolean {
  return kind !== "Deployment" || Number(status?.observedGeneration ?? 0) >= (metadata.generation ?? 1);
}

/** `jsonpath={.metadata.uid}`: a value is there (await/condition/jsonpath.go). */
function waitingFor(expression: string, object: KubernetesObject): string[] {
  const path = /^jsonpath=\{\.([\w.]+)\}$/.exec(expression)?.[1];
  if (path === undefined) throw new Error(`the stand-in knows no ${expression}`);
  const value = path
    .split(".")
    .reduce<unknown>((node, key) => (node as Record<string, unknown> | undefined)?.[key], object);
  return value === undefined ? [`Waiting for ${expression}`] : [];
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

/** As await/deployment.go: conditions, and the pods of the ReplicaSet with the Deployment's own revision. */
async function troublesOfDeployment({ metadata, spec, status }: KubernetesObject): Promise<string[]> {
  const conditions = (status?.conditions ?? []) as readonly Condition[];
  const is = (type: string) => conditions.find((one) => one.type === type && one.status === "True");
  const failed = conditions
    .filter(({ type, status }) => status === "False" && (type === "Progressing" || type === "Available"))
    .map(({ reason, message }) => `[${reason}] ${message}`);
  if (is("Available") === undefined) return [...failed, "Minimum number of live Pods was not attained"];
  if (is("Progressing")?.reason !== "NewReplicaSetAvailable")
    return [...failed, "Minimum number of Pods to consider the application live was not attained"];
  const { matchLabels = {} } = (spec?.selector ?? {}) as { matchLabels?: Record<string, string> };
  const labels = Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`);
  const sets = await listed<KubernetesObject>("replicasets", metadata.namespace ?? "default", labels.join(","));
  const own = sets.find((set) => set.metadata.annotations?.[revision] === metadata.annotations?.[revision]);
  if (Number(own?.status?.readyReplicas ?? 0) >= (own?.spec?.replicas ?? 1)) return failed;
  return [...failed, "Attempted to roll forward to new ReplicaSet, but minimum number of Pods did not become live"];
}

/** As await/service.go: no pod that is not ready, and the address of a load balancer. */
async function troublesOfService({ metadata, spec, status }: KubernetesObject): Promise<string[]> {
  const selector = Object.entries((spec?.selector ?? {}) as object).map(([key, value]) => `${key}=${value}`);
  const pods = await listed<{ status: { conditions?: readonly Condition[] } }>(
    "pods",
    metadata.namespace ?? "default",
    selector.join(","),
  );
  const ready = pods.map(({ status }) =>
    status.conditions?.some(({ type, status }) => type === "Ready" && status === "True"),
  );
  const targets =
    "Service does not target any Pods. Selected Pods may not be ready, or field '.spec.selector' may not match labels on any Pods";
  const address = "Service was not allocated an IP address; does your cloud provider support this?";
  return [
    ...(ready.some((one) => one !== true) ? [targets] : []),
    ...(spec?.type === "LoadBalancer" && addresses(status).length === 0 ? [address] : []),
  ];
}

function addresses(status: KubernetesObject["status"]): readonly unknown[] {
  return ((status?.loadBalancer as { ingress?: unknown[] } | undefined)?.ingress ?? []) as unknown[];
}
