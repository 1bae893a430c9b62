import { setTimeout as sleep } from "node:timers/promises";
import { type ErrorCode, FleetError, messageOf } from "../../errors.ts";
import { Agent, buildConnector, request as send } from "../../http-client.ts";
import { throughProxy } from "../../outgoing/proxied-connector.ts";
import { boundedText } from "./bounded-text.ts";
import type { NodeKeys } from "./node-keys.ts";
import type { ClusterMember } from "./node-report.ts";

export interface NodeCallsOptions {
  readonly nodeId: string;
  readonly keys: NodeKeys;
  /** How long a node that has just joined waits until the others have heard of its key, in milliseconds. */
  readonly patienceMs: number;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
}

/** One request as the other node's REST interface takes it. */
export interface NodeRequest {
  readonly method: string;
  readonly params: object;
}

/** Bytes of one answer: the longest message that a server can send. */
const maxAnswerBytes = 64 * 1024 * 1024;
const connectMs = 5000;
const pauseMs = 200;
/** The connection was not made: the request has not left. */
const unconnected = new Set([
  ...["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH", "ETIMEDOUT", "UND_ERR_CONNECT_TIMEOUT"],
  ...["ERR_TLS_CERT_ALTNAME_INVALID", "DEPTH_ZERO_SELF_SIGNED_CERT", "SELF_SIGNED_CERT_IN_CHAIN", "CERT_HAS_EXPIRED"],
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
]);
/** What a node refuses before it begins with a request, by the status that it refuses it with. */
const refusals: ReadonlyMap<number, ReadonlySet<unknown>> = new Map<number, ReadonlySet<unknown>>([
  [401, new Set<ErrorCode>(["TOKEN_REFUSED", "UNAUTHENTICATED"])],
  [404, new Set<ErrorCode>(["SERVER_UNKNOWN"])],
  [503, new Set<ErrorCode>(["DRAINING", "POOL_EXHAUSTED", "NO_INSTANCES", "OVERLOADED", "CIRCUIT_OPEN", "QUEUE_FULL"])],
]);

/** The node has not begun the request, so another node can take it. */
class NotBegun extends Error {
  readonly reason: FleetError;
  /** It does not know who asks, perhaps only not yet. */
  readonly stranger: boolean;

  constructor(reason: FleetError, stranger = false) {
    super(reason.message);
    this.reason = reason;
    this.stranger = stranger;
  }
}

/** Requests to other nodes of a cluster, under this node's name; each goes to one of those that have the server. */
export class NodeCalls {
  readonly #options: NodeCallsOptions;
  // A connection of its own for each request: one that is refused was not begun, whatever became of earlier ones.
  readonly #agent = new Agent({
    pipelining: 0,
    connect: throughProxy(buildConnector({ timeout: connectMs }), connectMs),
  });
  #turn = 0;

  constructor(options: NodeCallsOptions) {
    this.#options = options;
  }

  /**
   * The result of one request. `hosts` says who has the server now. Rejects with the server's own error, or with the reason
   * of the last node that has not begun.
   */
  async execute(hosts: () => readonly ClusterMember[], server: string, request: NodeRequest): Promise<unknown> {
    const { now, patienceMs } = this.#options;
    const until = now() + patienceMs;
    for (;;) {
      const failure = await this.#round(hosts(), server, request);
      if (!(failure instanceof NotBegun)) return failure.result;
      if (!failure.stranger || now() >= until) throw failure.reason;
      await sleep(pauseMs);
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  /** Asks one after the other, another one first each time. */
  async #round(
    hosts: readonly ClusterMember[],
    server: string,
    request: NodeRequest,
  ): Promise<{ readonly result: unknown } | NotBegun> {
    this.#turn += 1;
    let failure: NotBegun | undefined;
    for (let index = 0; index < hosts.length; index += 1) {
      const host = hosts[(this.#turn + index) % hosts.length] as ClusterMember;
      try {
        return { result: await this.#ask(host, server, request) };
      } catch (error) {
        if (!(error instanceof NotBegun)) throw error;
        if (failure === undefined || error.stranger) failure = error;
      }
    }
    const text = `no node of the cluster has a server "${server}" that is ready; register it, or call again later`;
    return failure ?? new NotBegun(new FleetError("NO_INSTANCES", text));
  }

  async #ask(host: ClusterMember, server: string, request: NodeRequest): Promise<unknown> {
    const { nodeId, keys } = this.#options;
    const at = `${server} at node ${host.nodeId}`;
    const token = keys.tokenBetween(host.publicKey, nodeId, host.nodeId);
    if (token === undefined)
      throw new NotBegun(new FleetError("UPSTREAM_UNREACHABLE", `${at}: the node's public key is none`));
    const url = new URL(`/api/v1/servers/${encodeURIComponent(server)}/requests`, host.url as string);
    const headers = {
      "content-type": "application/json",
      authorization: `Bearer ${token}`,
    };
    let status: number;
    let text: string;
    try {
      const { statusCode, body } = await send(url, {
        method: "POST",
        headers,
        body: JSON.stringify(request),
        dispatcher: this.#agent,
      });
      status = statusCode;
      text = await boundedText(body, maxAnswerBytes);
    } catch (error) {
      throw failed(at, error);
    }
    const reply = replyOf(at, status, text);
    if (reply.error === undefined) return reply.result;
    const { error } = reply;
    const refused = refusals.get(status)?.has(error.data?.code) === true;
    const options = { data: { error } };
    if (!refused) throw new FleetError("UPSTREAM_PROTOCOL", `${at}: ${error.message}`, options);
    throw new NotBegun(new FleetError("UPSTREAM_UNREACHABLE", `${at}: ${error.message}`, options), status === 401);
  }
}

interface NodeReply {
  readonly result?: unknown;
  readonly error?: { readonly message: string; readonly data?: { readonly code?: unknown } };
}

function failed(at: string, error: unknown): Error {
  const why = messageOf(error);
  const options = { cause: error };
  if (unconnected.has((error as { code?: string }).code ?? ""))
    return new NotBegun(new FleetError("UPSTREAM_UNREACHABLE", `${at}: the node cannot be reached (${why})`, options));
  const text = `${at}: the connection was lost during the request (${why}); it may have had an effect`;
  return new FleetError("INSTANCE_LOST", text, options);
}

function replyOf(at: string, status: number, text: string): NodeReply {
  try {
    const reply: unknown = JSON.parse(text);
    if (typeof reply === "object" && reply !== null && ("result" in reply || "error" in reply))
      return reply as NodeReply;
  } catch {
    // What is no JSON is no answer of a node's either.
  }
  throw new FleetError("UPSTREAM_PROTOCOL", `${at}: HTTP ${status} without a result; is the node's URL right?`);
}
