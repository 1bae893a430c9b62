import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Deployment, Pod } from "../../runtime/orchestrator/kubernetes/rollout.ts";

/** What a test changes of a Deployment of two pods that was declared for the second time, and has rolled out. */
export interface Stage {
  readonly status?: Deployment["status"];
  readonly generation?: number;
  readonly uid?: string;
  readonly replicas?: number;
  readonly pods?: readonly Pod[];
}

export const rolledOut = { observedGeneration: 2, replicas: 2, updatedReplicas: 2, availableReplicas: 2 };
const revision = { "deployment.kubernetes.io/revision": "7" };
const labels = { "app.kubernetes.io/name": "gateway" };

/** A Deployment as the API server shows it. */
export function deploymentAt({ status = rolledOut, generation = 2, uid = "uid-1", replicas = 2 }: Stage): Deployment {
  return {
    metadata: { name: "gateway", uid, generation, annotations: revision },
    spec: { replicas, selector: { matchLabels: labels } },
    status,
  };
}

/** The ReplicaSets of that Deployment: of the version before, and of the last one. */
export const replicaSets = ["6", "7"].map((of) => ({
  metadata: {
    labels: { ...labels, "pod-template-hash": `hash-${of}` },
    annotations: { "deployment.kubernetes.io/revision": of },
    ownerReferences: [{ uid: "uid-1" }],
  },
}));

/** A pod of the last version. */
export function podWith(status: Pod["status"], name = "gateway-7-x"): Pod {
  return { metadata: { name, labels: { ...labels, "pod-template-hash": "hash-7" } }, status: status ?? {} };
}

/** A container that waits for a reason, or has not become ready. */
export function waiting(reason?: string, message?: string) {
  const state = reason === undefined ? {} : { waiting: { reason, ...(message === undefined ? {} : { message }) } };
  return { containerStatuses: [{ name: "gateway", ready: false, restartCount: 0, state }] };
}

/** Serves one Deployment, its ReplicaSets, pods and their logs, as the API server of a cluster does. */
export class FakeApiServer {
  stage: Stage = {};
  /** By what follows the name of the pod: `container=gateway&tailLines=10`. */
  logs: Readonly<Record<string, string>> = {};
  /** Kinds that are there, by the path of their group and version. */
  kinds: Readonly<Record<string, readonly string[]>> = {};
  /** Answers to paths that are refused. */
  refused: Readonly<Record<string, number>> = {};
  readonly asked: { readonly path: string; readonly authorization: string | undefined }[] = [];
  readonly #server: Server = createServer((request, response) => {
    const [status, body] = this.#answer(request);
    response.writeHead(status).end(body);
  });

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): Promise<unknown> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(resolve));
  }

  #answer({ url, headers }: IncomingMessage): [number, string] {
    const { pathname: path, search } = new URL(url as string, "http://localhost");
    this.asked.push({ path, authorization: headers.authorization });
    const refusal = this.refused[path];
    if (refusal !== undefined) return [refusal, JSON.stringify({ kind: "Status", message: `no ${path}` })];
    if (path === "/apis/apps/v1/namespaces/tools/deployments/gateway")
      return [200, JSON.stringify(deploymentAt(this.stage))];
    if (path === "/apis/apps/v1/namespaces/tools/replicasets") return [200, JSON.stringify({ items: replicaSets })];
    if (path === "/api/v1/namespaces/tools/pods") return [200, JSON.stringify({ items: this.stage.pods ?? [] })];
    const kinds = this.kinds[path];
    if (kinds !== undefined) return [200, JSON.stringify({ resources: kinds.map((kind) => ({ kind })) })];
    const log = this.logs[search.slice(1)];
    return log === undefined ? [404, JSON.stringify({ kind: "Status", message: "not found" })] : [200, log];
  }
}

/** A kubeconfig whose current context is that server. */
export function kubeconfigFor(server: string): string {
  return JSON.stringify({
    "current-context": "test",
    contexts: [{ name: "test", context: { cluster: "test", user: "test" } }],
    clusters: [{ name: "test", cluster: { server } }],
    users: [{ name: "test", user: { token: "token-of-test" } }],
  });
}
