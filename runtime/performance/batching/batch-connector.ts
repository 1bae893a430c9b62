import { FleetError, messageOf } from "../../errors.ts";
import type { Params } from "../../protocol/json-rpc.ts";
import { RequestIds } from "../../protocol/request-ids.ts";
import type { FetchPool } from "../../upstreams/fetch-pool.ts";
import { checkDescription, type GatewayIdentity } from "../../upstreams/handshake.ts";
import { serverInfoOf } from "../../upstreams/server-info.ts";
import type {
  ConnectionUse,
  Connector,
  ServerDescription,
  SessionEvents,
  UpstreamSession,
} from "../../upstreams/upstream-session.ts";
import { BatchEndpoint } from "./batch-endpoint.ts";
import { BatchedSession } from "./batched-session.ts";
import { Batcher, type BatcherOptions } from "./batcher.ts";

export interface BatchConnectorOptions
  extends Pick<BatcherOptions, "maxBatchSize" | "batchTimeoutMs" | "maxInFlight" | "onBatch" | "now"> {
  readonly fleet: string;
  readonly url: string;
  /** Where the server host takes batches, such as `/batch`; undefined for arrays at the MCP endpoint itself. */
  readonly path: string | undefined;
  readonly compressFrom: number;
  readonly identity: GatewayIdentity;
  readonly connectMs: number;
  /** Opens ordinary sessions: for servers that take no arrays, and for what a host says unasked. */
  readonly inner: Connector;
  /** Sends what goes in batches. */
  readonly connections: Pick<FetchPool, "fetch" | "renew">;
}

/** The one revision with JSON-RPC arrays (2025-03-26, basic/transports). */
const arrayRevision = "2025-03-26";
const notifyMs = 10_000;
/** The gateway bounds its calls before they come here. */
const maxWaiting = 100_000;

/**
 * Sessions over HTTP whose requests go out in batches: to `/batch` of a server host, or as arrays to servers that
 * negotiate 2025-03-26. Other servers get ordinary sessions, whose requests are pipelined over pooled connections.
 */
export class BatchConnector implements Connector {
  readonly source: string;
  readonly #options: BatchConnectorOptions;
  readonly #ids = new RequestIds();
  #takesNoArrays = false;

  constructor(options: BatchConnectorOptions) {
    this.#options = options;
    this.source = options.inner.source;
  }

  get connections(): ConnectionUse | undefined {
    return this.#options.inner.connections;
  }

  async connect(events: SessionEvents): Promise<UpstreamSession> {
    const { inner, path, url } = this.#options;
    if (path !== undefined) {
      const session = await inner.connect(events);
      return new BatchedSession(session, this.#batcher(this.#endpoint(new URL(path, url).href)));
    }
    const session = this.#takesNoArrays ? undefined : await this.#arrays();
    if (session !== undefined) return session;
    this.#takesNoArrays = true;
    return inner.connect(events);
  }

  async close(): Promise<void> {
    await this.#options.inner.close();
    this.#options.connections.renew();
  }

  /** A session of 2025-03-26; undefined when the server would rather speak another revision. */
  async #arrays(): Promise<UpstreamSession | undefined> {
    const { url, identity, connectMs, fleet } = this.#options;
    const endpoint = this.#endpoint(url);
    const params = { protocolVersion: arrayRevision, capabilities: {}, clientInfo: identity };
    const reply = await endpoint.ask("initialize", params, connectMs).catch((error) => {
      if (error instanceof FleetError && error.code === "UPSTREAM_PROTOCOL") return undefined;
      throw error;
    });
    checkDescription(fleet, "initialize", reply);
    if (reply === undefined || "error" in reply) return undefined;
    const result = reply.result as Partial<ServerDescription> & { readonly capabilities?: Params };
    const over = () => this.#signOff(endpoint);
    if (result.protocolVersion !== arrayRevision) {
      await over();
      return undefined;
    }
    endpoint.carry({ "mcp-protocol-version": arrayRevision });
    await endpoint.tell("notifications/initialized", undefined, notifyMs);
    const ended = Promise.withResolvers<string>();
    const description: ServerDescription = {
      ...{ protocolVersion: arrayRevision, modern: false, capabilities: result.capabilities ?? {} },
      serverInfo: serverInfoOf(result.serverInfo, fleet),
      ...(result.instructions === undefined ? {} : { instructions: result.instructions }),
    };
    const rest = {
      description,
      ended: ended.promise,
      notify: (method: string, about?: Params) =>
        void endpoint.tell(method, about, notifyMs).catch((error) => ended.resolve(messageOf(error))),
      close: async () => {
        ended.resolve("closed");
        await over();
      },
    };
    return new BatchedSession(rest, this.#batcher(endpoint));
  }

  async #signOff(endpoint: BatchEndpoint): Promise<void> {
    const { sessionId } = endpoint;
    if (sessionId === undefined) return;
    const signal = AbortSignal.timeout(notifyMs);
    await this.#options.connections
      .fetch(this.#options.url, { method: "DELETE", headers: { "mcp-session-id": sessionId }, signal })
      .catch(() => {});
  }

  #endpoint(url: string): BatchEndpoint {
    const { fleet, compressFrom, connections } = this.#options;
    return new BatchEndpoint({ name: fleet, url, compressFrom, ids: this.#ids, connections });
  }

  #batcher(upstream: BatchEndpoint): Batcher {
    const { fleet, maxBatchSize, batchTimeoutMs, maxInFlight, onBatch, now } = this.#options;
    const shares = { ageMs: 5000, minimumPercent: { high: 20, normal: 10, low: 5 } };
    return new Batcher({
      ...{ name: fleet, upstream, maxBatchSize, batchTimeoutMs, maxInFlight, maxWaiting, now, onBatch, ...shares },
    });
  }
}
