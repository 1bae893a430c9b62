import type { Logger } from "pino";
import { FleetError, messageOf } from "../../errors.ts";
import { outgoingFetch } from "../../outgoing/outgoing-fetch.ts";
import { boundedText } from "./bounded-text.ts";
import { type NodeKeys, proofHeader } from "./node-keys.ts";
import { type ClusterMember, heartbeatBounds, type NodeReport, reportOf, wrongNodeId } from "./node-report.ts";

export interface ClusterNodeOptions {
  readonly nodeId: string;
  /** Base URL of the coordinator. */
  readonly coordinatorEndpoint: string;
  readonly token: string;
  readonly keys: NodeKeys;
  /** 1000 to 300000. */
  readonly heartbeatMs: number;
  readonly log: Logger;
  /** What it says of itself now. */
  readonly report: () => Pick<NodeReport, "url" | "servers">;
  /** Other nodes came or went. */
  readonly onChange: (members: readonly ClusterMember[]) => void;
}

/** Bytes of the coordinator's answer: the largest cluster it accepts, and room to spare. */
const maxAnswerBytes = 4 * 1024 * 1024;
/** Nodes that are believed to be there, whatever the coordinator says. */
const maxMembers = 1000;

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

  /** Throws CONFIG_INVALID, naming the option. */
  constructor(options: ClusterNodeOptions) {
    const { nodeId, coordinatorEndpoint, heartbeatMs } = options;
    const { least, most } = heartbeatBounds;
    const wrongId = wrongNodeId(nodeId);
    if (wrongId !== undefined) throw wrong("nodeId", `is "${nodeId}"; ${wrongId}`);
    if (!URL.canParse(coordinatorEndpoint) || !/^https?:/.test(coordinatorEndpoint))
      throw wrong("coordinatorEndpoint", `is "${coordinatorEndpoint}"; give the coordinator's http(s) URL`);
    if (!Number.isInteger(heartbeatMs) || heartbeatMs < least || heartbeatMs > most)
      throw wrong("heartbeatInterval", `is ${heartbeatMs}; it must be a whole number from ${least} to ${most}`);
    this.#options = options;
    this.#url = new URL(`/cluster/nodes/${encodeURIComponent(nodeId)}`, coordinatorEndpoint);
    this.#timer = setInterval(() => void this.heartbeat(), heartbeatMs).unref();
  }

  /** The other living nodes, as they were at the last heartbeat that was answered. */
  get members(): readonly ClusterMember[] {
    return this.#members;
  }

  /** The coordinator does not answer, or refuses the node. */
  get away(): boolean {
    return this.#away;
  }

  /** Reports once, beside the regular heartbeats. Never rejects. */
  async heartbeat(): Promise<void> {
    const { nodeId, heartbeatMs, keys, report, log } = this.#options;
    try {
      const { nodes } = await this.#send("PUT", { nodeId, heartbeatMs, publicKey: keys.publicKey, ...report() });
      if (this.#closed) return;
      if (this.#away) log.info({ coordinator: this.#url.origin }, "the cluster's coordinator is back");
      this.#away = false;
      this.#take(nodes);
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

  /** Other nodes are believed no more than the coordinator believes them. */
  #take(said: unknown): void {
    const { nodeId: own, log } = this.#options;
    if (!Array.isArray(said)) throw new Error("the coordinator's answer is no list of nodes");
    const members = said.slice(0, maxMembers).flatMap((one: Partial<ClusterMember> | null) => {
      const { nodeId, ageMs } = one ?? {};
      if (nodeId === own || nodeId === undefined) return [];
      const report = wrongNodeId(nodeId) ?? reportOf(one, nodeId);
      if (typeof report !== "string") return [{ ...report, ageMs: Number(ageMs) || 0 }];
      log.warn({ node: String(nodeId).slice(0, 64), why: report }, "a node of the cluster is left out");
      return [];
    });
    const changed = fingerprint(members) !== fingerprint(this.#members);
    this.#members = members;
    if (changed) this.#options.onChange(members);
  }

  async #send(method: string, body?: NodeReport): Promise<{ readonly nodes: unknown }> {
    const { token, keys, heartbeatMs } = this.#options;
    const response = await outgoingFetch(this.#url, {
      method,
      redirect: "error",
      headers: {
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        authorization: `Bearer ${token}`,
        [proofHeader]: keys.proofFor(this.#url.origin),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(heartbeatMs),
    });
    const text = await boundedText(response.body, maxAnswerBytes);
    if (!response.ok) throw new Error(`HTTP ${response.status}: ${text.slice(0, 200)}`);
    return JSON.parse(text);
  }
}

const wrong = (option: string, problem: string): FleetError =>
  new FleetError("CONFIG_INVALID", `clustering.${option} ${problem}`);

/** Who is there, and by which keys they are known. */
const fingerprint = (members: readonly ClusterMember[]): string =>
  members
    .map(({ nodeId, publicKey }) => `${nodeId} ${publicKey}`)
    .sort()
    .join("\n");
