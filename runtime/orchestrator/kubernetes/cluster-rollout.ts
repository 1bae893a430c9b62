import { messageOf } from "../../errors.ts";
import { type ClusterApi, ClusterRefusal } from "./cluster-api.ts";
import { type Deployment, isComplete, newPods, type Pod, type ReplicaSet, type Trouble, troubleOf } from "./rollout.ts";

interface List<Item> {
  readonly items: readonly Item[];
}

/** A Deployment as it is now, and what keeps its new pods from serving. */
export interface Seen {
  readonly deployment: Deployment;
  readonly trouble: Trouble | undefined;
}

const logLines = 10;

/** One Deployment of a cluster. */
export class ClusterRollout {
  readonly #api: ClusterApi;
  readonly #namespace: string;
  readonly #name: string;

  constructor(api: ClusterApi, namespace: string, name: string) {
    this.#api = api;
    this.#namespace = namespace;
    this.#name = name;
  }

  /** The Deployment alone. Rejects with ClusterRefusal of status 404 when it is not there. */
  deployment(): Promise<Deployment> {
    return this.#api.get(`/apis/apps/v1/namespaces/${this.#namespace}/deployments/${this.#name}`);
  }

  async look(): Promise<Seen> {
    const deployment = await this.deployment();
    if (isComplete(deployment)) return { deployment, trouble: undefined };
    const labels = Object.entries(deployment.spec.selector.matchLabels).map(([key, value]) => `${key}=${value}`);
    const query = `labelSelector=${encodeURIComponent(labels.join(","))}`;
    const sets = await this.#list<ReplicaSet>(`/apis/apps/v1/namespaces/${this.#namespace}/replicasets?${query}`);
    const pods = await this.#list<Pod>(`/api/v1/namespaces/${this.#namespace}/pods?${query}`);
    return { deployment, trouble: troubleOf(deployment, newPods(deployment, sets, pods)) };
  }

  /** What a pod in trouble has written last, empty where there is nothing to read. */
  async lastLines({ pod, container, ended }: Trouble): Promise<string> {
    if (pod === undefined || container === undefined) return "";
    const query = `container=${container}&tailLines=${logLines}${ended ? "&previous=true" : ""}`;
    try {
      return (await this.#api.text(`/api/v1/namespaces/${this.#namespace}/pods/${pod}/log?${query}`)).trimEnd();
    } catch {
      // A container that has never started has no log.
      return "";
    }
  }

  /** Who is asked may see Deployments and not pods: then the reason stays unknown. */
  async #list<Item>(path: string): Promise<readonly Item[]> {
    try {
      return (await this.#api.get<List<Item>>(path)).items;
    } catch (error) {
      if (error instanceof ClusterRefusal && error.status === 403) return [];
      throw error;
    }
  }
}

/** Those of these kinds (`keda.sh/v1alpha1/ScaledObject`) that the cluster does not have. */
export async function missingKinds(api: ClusterApi, kinds: readonly string[]): Promise<string[]> {
  const missing: string[] = [];
  for (const one of kinds) {
    const [group, version, kind] = one.split("/", 3);
    try {
      const { resources } = await api.get<{ resources: readonly { kind: string }[] }>(`/apis/${group}/${version}`);
      if (!resources.some((resource) => resource.kind === kind)) missing.push(one);
    } catch (error) {
      // Nobody has defined anything of that group. Who cannot be asked now says it in the update.
      if (error instanceof ClusterRefusal && error.status === 404) missing.push(one);
    }
  }
  return missing;
}

/** Can the same question have another answer in a moment? */
export function isPassing(error: unknown): boolean {
  if (error instanceof ClusterRefusal) return error.status === 429 || error.status >= 500;
  return !/certificate|kubeconfig/.test(messageOf(error));
}
