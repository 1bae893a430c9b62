import { execFile } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";

/** A Kubernetes object as it is declared, or as it is in the cluster. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly generation?: number };
  readonly spec?: { readonly replicas?: number };
  readonly status?: Readonly<Record<string, unknown>>;
}

const manager = "--field-manager=pulumi-stand-in";
const readyMs = 300_000;

/** Server-side apply, then the wait for what the object promises. Rejects with the API server's words, or why it is not ready. */
export async function apply(object: KubernetesObject): Promise<KubernetesObject> {
  const text = JSON.stringify(object);
  await kubectl(["apply", "--server-side", "--force-conflicts", manager, "-f", "-"], text);
  return awaited(object);
}

/** The object as it is in the cluster; undefined when it is not there. */
export async function read(object: KubernetesObject): Promise<KubernetesObject | undefined> {
  const text = await kubectl(["get", "--ignore-not-found", "-o", "json", ...place(object)]);
  return text === "" ? undefined : (JSON.parse(text) as KubernetesObject);
}

/** Deletes it, and waits until it is gone. */
export async function remove(object: KubernetesObject): Promise<void> {
  await kubectl(["delete", "--ignore-not-found", "--wait", "--timeout=180s", ...place(object)]);
}

/** As the real provider does for a Deployment: all its pods are new, and ready. Other kinds count when they exist. */
async function awaited(object: KubernetesObject): Promise<KubernetesObject> {
  const until = Date.now() + readyMs;
  for (;;) {
    const live = await read(object);
    if (live !== undefined && (object.kind !== "Deployment" || isRolledOut(live))) return live;
    if (Date.now() > until) throw new Error(`not ready in ${readyMs / 1000} s: ${JSON.stringify(live?.status)}`);
    await sleep(500);
  }
}

function isRolledOut({ metadata, spec, status }: KubernetesObject): boolean {
  const {
    observedGeneration,
    updatedReplicas = 0,
    replicas = 0,
    availableReplicas = 0,
  } = (status ?? {}) as Record<string, number | undefined>;
  const wanted = spec?.replicas ?? 1;
  const current = observedGeneration === metadata.generation;
  return current && updatedReplicas >= wanted && replicas === updatedReplicas && availableReplicas >= wanted;
}

function place({ apiVersion, kind, metadata }: KubernetesObject): string[] {
  const [group, version] = apiVersion.includes("/") ? apiVersion.split("/", 2) : ["", apiVersion];
  const type = group === "" ? kind : `${kind}.${version}.${group}`;
  return [type, metadata.name, ...(metadata.namespace === undefined ? [] : ["--namespace", metadata.namespace])];
}

function kubectl(args: readonly string[], input?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile("kubectl", args, { maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(stderr.trim() || error.message));
    });
    child.stdin?.end(input);
  });
}
