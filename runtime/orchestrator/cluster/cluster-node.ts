import type { Logger } from "pino";
import { messageOf } from "../../errors.ts";
import type { ClusterMember, NodeReport } from "./node-report.ts";

export interface ClusterNodeOptions {
  readonly nodeId: string;
  /** Base URL of the coordinator. */
  readonly coordinatorEndpoint: string;
  readonly token?: string | undefined;
  readonly heartbeatMs: number;
  readonly log: Logger;
  /** What it says of itself now. */
  readonly report: () => Pick<NodeReport, "url" | "servers">;
  /** Other nodes came or went. */
  readonly onChange: (members: readonly ClusterMember[]) => void;
}

/**
 * One node of a cluster: reports its servers to the coordinator again and again, and knows the others by what comes back.
 * While the coordinator is away it keeps what it knew, and goes on trying.
 */
export class ClusterNode {
  readonly #options: ClusterNodeOptions;
  readonly #url: URL;
  readonly #timer: NodeJS.Timeout;
  #members: readonly ClusterMember[] = [];
  #away = false;
  #closed = false;

  constructor(options: ClusterNodeOptions) {
    this.#options = options;
    this.#url = new URL(`/cluster/nodes/${encodeURIComponent(options.nodeId)}`, options.coordinatorEndpoint);
    this.#timer = setInterval(() => void this.heartbeat(), options.heartbeatMs).unref();
  }

  /** The other living nodes, as they were at the last heartbeat that was answered. */
  get members(): readonly ClusterMember[] {
    return this.#members;
  }

  /** The coordinator does not answer. */
  get away(): boolean {
    return this.#away;
  }

  /** Reports once, beside the regular heartbeats. Never rejects. */
  async heartbeat(): Promise<void> {
    const { nodeId, heartbeatMs, report, log } = this.#options;
    try {
      const { nodes } = await this.#send("PUT", { nodeId, heartbeatMs, ...report() });
      if (this.#closed) return;
      if (this.#away) log.info({ coordinator: this.#url.origin }, "the cluster's coordinator is back");
      this.#away = false;
      this.#take(nodes.filter((one) => one.nodeId !== nodeId));
    } catch (error) {
      const why = messageOf((error as { cause?: unknown }).cause ?? error);
      if (!this.#away) log.warn({ coordinator: this.#url.origin, why }, "the cluster's coordinator is away");
      this.#away = true;
    }
  }

  /** Signs off. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    await this.#send("DELETE").catch(() => {});
  }

  #take(members: readonly ClusterMember[]): void {
    const names = (list: readonly ClusterMember[]) =>
      list
        .map(({ nodeId }) => nodeId)
        .sort()
        .join("\n");
    const changed = names(members) !== names(this.#members);
    this.#members = members;
    if (changed) this.#options.onChange(members);
  }

  async #send(method: string, body?: NodeReport): Promise<{ readonly nodes: readonly ClusterMember[] }> {
    const { token, heartbeatMs } = this.#options;
    const response = await fetch(this.#url, {
      method,
      headers: {
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(Math.max(1000, heartbeatMs)),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`HTTP ${response.status}: ${text.slice(0, 200)}`);
    return JSON.parse(text);
  }
}
