import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import type { Logger } from "pino";
import type { Agent } from "undici";
import { defaults } from "../../config/defaults.ts";
import { bracketed } from "../../host-name.ts";
import type { BackendSpec } from "../backend.ts";
import { limitedText } from "../limited-text.ts";
import { addressOf, type Scheme } from "./address.ts";
import { Following } from "./following.ts";
import { type FoundListener, type InstanceDiscovery, maxListBytes } from "./instance-discovery.ts";

export interface KubernetesDiscoveryOptions {
  readonly service: string;
  readonly namespace?: string;
  readonly port?: string;
  readonly path?: string;
  /** Defaults to `KUBERNETES_SERVICE_HOST` and `…_PORT`. */
  readonly apiServer?: string;
  /** Folder of the service account's `token`, `ca.crt` and `namespace`. */
  readonly credentials?: string;
  readonly scheme: Scheme;
  readonly log: Logger;
}

/** The part of an EndpointSlice (discovery.k8s.io/v1) that is read. */
interface EndpointSlice {
  readonly metadata: { readonly name: string; readonly resourceVersion?: string };
  readonly ports?: readonly { readonly name?: string; readonly port?: number }[] | null;
  readonly endpoints?:
    | readonly {
        readonly addresses: readonly string[];
        readonly zone?: string;
        readonly conditions?: { readonly ready?: boolean; readonly serving?: boolean };
      }[]
    | null;
}

interface WatchEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  readonly object: EndpointSlice & { readonly code?: number };
}

/** The ready pods of a Service: lists its EndpointSlices, then watches them (Kubernetes API concepts, "Efficient detection of changes"). */
export class KubernetesDiscovery implements InstanceDiscovery {
  readonly name: string;
  readonly #options: KubernetesDiscoveryOptions;
  readonly #slices = new Map<string, EndpointSlice>();
  readonly #following: Following;
  #agent: Agent | undefined;

  constructor(options: KubernetesDiscoveryOptions) {
    this.#options = options;
    this.name = `kubernetes ${options.service}`;
    this.#following = new Following({
      ...{ name: this.name, log: options.log, trouble: "EndpointSlices not watched" },
      follow: (signal, listed) => this.#follow(signal, listed),
    });
  }

  start(listener: FoundListener): void {
    this.#following.start(listener);
  }

  async close(): Promise<void> {
    await this.#following.close();
    await this.#agent?.destroy();
  }

  /** Lists, and watches from there on; lists anew when the server says that a version is too old. */
  async #follow(signal: AbortSignal, listed: () => void): Promise<void> {
    while (!signal.aborted) {
      let version: string | undefined = await this.#list(signal);
      listed();
      while (version !== undefined && !signal.aborted) version = await this.#watch(version, signal);
    }
  }

  /** Reads all slices; returns the version from which to watch. */
  async #list(signal: AbortSignal): Promise<string> {
    const body = await this.#get("", signal);
    const { items, metadata } = JSON.parse(await limitedText(body, maxListBytes)) as {
      readonly items: readonly EndpointSlice[];
      readonly metadata: { readonly resourceVersion: string };
    };
    this.#slices.clear();
    for (const slice of items) this.#slices.set(slice.metadata.name, slice);
    this.#tell();
    return metadata.resourceVersion;
  }

  /** Follows changes until the server ends the watch; returns the next version, or undefined when a new list is due. */
  async #watch(from: string, signal: AbortSignal): Promise<string | undefined> {
    const query = `&watch=1&allowWatchBookmarks=true&timeoutSeconds=300&resourceVersion=${encodeURIComponent(from)}`;
    let version = from;
    for await (const line of linesOf(await this.#get(query, signal))) {
      const { type, object } = JSON.parse(line) as WatchEvent;
      // 410: that version is too old to go on from.
      if (type === "ERROR") return undefined;
      version = object.metadata.resourceVersion ?? version;
      if (type === "BOOKMARK") continue;
      if (type === "DELETED") this.#slices.delete(object.metadata.name);
      else this.#slices.set(object.metadata.name, object);
      this.#tell();
    }
    return version;
  }

  async #get(more: string, signal: AbortSignal): Promise<Readable> {
    const { service, credentials = defaults.discovery.kubernetesCredentials } = this.#options;
    const { Agent, request } = await import("../../http-client.ts");
    const file = (name: string) => readFile(join(credentials, name), "utf8");
    const namespace = this.#options.namespace ?? (await file("namespace")).trim();
    const server = this.#options.apiServer ?? inCluster();
    const ca = server.startsWith("https:") ? { ca: await file("ca.crt") } : {};
    // A watch says nothing for minutes.
    this.#agent ??= new Agent({ connect: ca, bodyTimeout: 0 });
    const selector = encodeURIComponent(`kubernetes.io/service-name=${service}`);
    const path = `/apis/discovery.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/endpointslices`;
    const { statusCode, body } = await request(`${server}${path}?labelSelector=${selector}${more}`, {
      dispatcher: this.#agent,
      signal,
      // The token is read anew each time: the kubelet replaces it.
      headers: { accept: "application/json", authorization: `Bearer ${(await file("token")).trim()}` },
    });
    if (statusCode === 200) return body;
    const said = await limitedText(body, maxListBytes);
    const fix = statusCode === 403 ? "; let the service account list and watch endpointslices" : "";
    throw new Error(`HTTP ${statusCode}: ${said.slice(0, 300)}${fix}`);
  }

  #tell(): void {
    const { port, path, scheme } = this.#options;
    const found = new Map<string, BackendSpec>();
    for (const { ports, endpoints } of this.#slices.values()) {
      const at = (ports ?? []).find(({ name }) => port === undefined || name === port)?.port;
      if (at === undefined) continue;
      for (const { addresses, zone, conditions } of endpoints ?? []) {
        const [host] = addresses;
        if (host === undefined || conditions?.ready === false) continue;
        const address = addressOf(scheme, host, at, path);
        found.set(address, { address, ...(zone === undefined ? {} : { zone }) });
      }
    }
    this.#following.tell(found.values());
  }
}

/** Leaving the loop ends the request; readline would leave its errors to nobody. */
async function* linesOf(body: Readable): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of body.setEncoding("utf8")) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() as string;
    if (rest.length > maxListBytes) throw new Error(`an event of the watch has more than ${maxListBytes} bytes`);
    yield* lines;
  }
}

function inCluster(): string {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = process.env;
  if (host === undefined) throw new Error("not in a pod: set discovery.kubernetes.apiServer");
  return `https://${bracketed(host)}:${port ?? 443}`;
}
