import { LRUCache } from "lru-cache";
import { FleetError } from "../errors.ts";
import type { Exchange } from "../protocol/exchange.ts";
import type { Params, RpcReply } from "../protocol/json-rpc.ts";
import type { EndReason, ServerDescription, UpstreamSession } from "./upstream-session.ts";

/** Sessions of callers beside the gateway's own; the least recently used one is closed first. */
const maxSessions = 1000;

/**
 * One session of the session era for each caller, for a server where callers have credentials of their own: a session
 * belongs to who opened it (basic/security, "Session Hijacking"). What the gateway asks for itself goes by its own.
 */
export class CallerSessions implements UpstreamSession {
  readonly ended: Promise<EndReason>;
  readonly #own: UpstreamSession;
  readonly #open: (caller: string) => Promise<UpstreamSession>;
  readonly #sessions = new LRUCache<string, Promise<UpstreamSession>>({
    max: maxSessions,
    dispose: (session) => void session.then((it) => it.close()).catch(() => {}),
  });

  constructor(own: UpstreamSession, open: (caller: string) => Promise<UpstreamSession>) {
    this.#own = own;
    this.#open = open;
    this.ended = own.ended;
  }

  get description(): ServerDescription {
    return this.#own.description;
  }

  async request(method: string, params: Params | undefined, exchange: Exchange): Promise<RpcReply> {
    const { caller } = exchange;
    if (caller === undefined) return this.#own.request(method, params, exchange);
    const opening = this.#of(caller);
    const session = await opening;
    try {
      return await session.request(method, params, exchange);
    } catch (error) {
      if (error instanceof FleetError && error.code === "UPSTREAM_SESSION_EXPIRED") this.#forget(caller, opening);
      throw error;
    }
  }

  notify(method: string, params?: Params): void {
    this.#own.notify(method, params);
    for (const session of this.#sessions.values()) void session.then((it) => it.notify(method, params)).catch(() => {});
  }

  async close(): Promise<void> {
    const sessions = [...this.#sessions.values()];
    this.#sessions.clear();
    await Promise.all([
      this.#own.close(),
      ...sessions.map((session) => session.then((it) => it.close()).catch(() => {})),
    ]);
  }

  #of(caller: string): Promise<UpstreamSession> {
    let session = this.#sessions.get(caller);
    if (session === undefined) {
      const opening = this.#open(caller);
      opening.then(
        ({ ended }) => void ended.then(() => this.#forget(caller, opening)),
        () => this.#forget(caller, opening),
      );
      this.#sessions.set(caller, opening);
      session = opening;
    }
    return session;
  }

  #forget(caller: string, session: Promise<UpstreamSession>): void {
    if (this.#sessions.peek(caller) === session) this.#sessions.delete(caller);
  }
}
