import { FleetError, messageOf } from "../../errors.ts";
import { Exchange } from "../../protocol/exchange.ts";
import type { Params, RpcReply } from "../../protocol/json-rpc.ts";
import { RawReply } from "../../protocol/raw-reply.ts";
import type { ServerDescription, UpstreamSession } from "../../upstreams/upstream-session.ts";
import type { Evictable } from "./eviction.ts";

/** One open MCP session of a pool. Many calls may be under way on it at once. */
export class PooledConnection implements Evictable {
  readonly openedAt: number;
  lastUsedAt: number;
  uses = 0;
  bytes = 0;
  /** Failed health checks in a row. */
  failures = 0;
  readonly #session: UpstreamSession;
  readonly #timeoutMs: number;
  #ended: string | undefined;

  constructor(session: UpstreamSession, timeoutMs: number, openedAt: number) {
    this.#session = session;
    this.#timeoutMs = timeoutMs;
    this.openedAt = openedAt;
    this.lastUsedAt = openedAt;
    void session.ended.then((reason) => {
      this.#ended = messageOf(reason);
    });
  }

  /** What the server said of itself. */
  get server(): ServerDescription {
    return this.#session.description;
  }

  /** Why it serves no more; undefined while it does. */
  get ended(): string | undefined {
    return this.#ended;
  }

  /** Sends a request; resolves with the server's own reply, rejects with a FleetError when there is none. */
  async request(method: string, params?: Params, { timeoutMs = this.#timeoutMs } = {}): Promise<RpcReply> {
    const reply = await this.#session.request(method, params, new Exchange(timeoutMs));
    if (reply instanceof RawReply) this.bytes += reply.text.length;
    return reply;
  }

  /** Does it still serve? The stateless era has no `ping`: there an answer of any kind will do. */
  async ping(timeoutMs: number): Promise<boolean> {
    if (this.#ended !== undefined) return false;
    const method = this.server.modern ? "server/discover" : "ping";
    try {
      await this.request(method, undefined, { timeoutMs });
      return true;
    } catch (error) {
      return error instanceof FleetError && error.code === "UPSTREAM_PROTOCOL";
    }
  }

  close(): Promise<void> {
    return this.#session.close();
  }
}
