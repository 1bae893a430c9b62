import type { Dispatcher } from "../../http-client.ts";
import { proxyFor } from "../../outgoing/proxy-rules.ts";
import { limitedText } from "../../registry/limited-text.ts";
import type { ClusterCredentials } from "./kubeconfig.ts";

/** More than any list of one Deployment's pods. */
const maxBytes = 1 << 25;
const answerMs = 15_000;

/** The API server has refused, or has not found something. */
export class ClusterRefusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Reads from a cluster's API. */
export class ClusterApi {
  readonly origin: string;
  readonly #credentials: ClusterCredentials;
  #dispatcher: Dispatcher | undefined;

  constructor(credentials: ClusterCredentials) {
    this.#credentials = credentials;
    this.origin = `${credentials.server} (${credentials.origin})`;
  }

  /** An object or a list. Rejects with ClusterRefusal, or when nobody answers. */
  async get<T>(path: string): Promise<T> {
    return JSON.parse(await this.text(path)) as T;
  }

  /** The same as it stands, such as a log. */
  async text(path: string): Promise<string> {
    const { server, token } = this.#credentials;
    const { request } = await import("../../http-client.ts");
    const { statusCode, body } = await request(`${server}${path}`, {
      dispatcher: await this.#way(),
      signal: AbortSignal.timeout(answerMs),
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    });
    const said = await limitedText(body, maxBytes);
    if (statusCode === 200) return said;
    throw new ClusterRefusal(statusCode, `HTTP ${statusCode} of ${server}${path}: ${reasonIn(said)}`);
  }

  async close(): Promise<void> {
    await this.#dispatcher?.destroy();
  }

  async #way(): Promise<Dispatcher> {
    if (this.#dispatcher !== undefined) return this.#dispatcher;
    const { server, proxy = proxyFor(new URL(server))?.href, tls } = this.#credentials;
    const { Agent, ProxyAgent } = await import("../../http-client.ts");
    this.#dispatcher =
      proxy === undefined
        ? new Agent({ connect: tls })
        : new ProxyAgent({ uri: proxy, requestTls: tls, proxyTunnel: true });
    return this.#dispatcher;
  }
}

/** The sentence of a Status object (meta/v1). */
function reasonIn(said: string): string {
  try {
    return (JSON.parse(said) as { message?: string }).message ?? said.slice(0, 300);
  } catch {
    return said.slice(0, 300);
  }
}
