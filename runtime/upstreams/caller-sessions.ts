import { LRUCache } from "lru-cache";
import { FleetError } from "../errors.ts";
import type { Exchange } from "../protocol/exchange.ts";
import type { Params, RpcReply } from "../protocol/json-rpc.ts";
import type { EndReason, ServerDescription, UpstreamSession } from "./upstream-session.ts";
import { withinTime } from "./within-time.ts";

/** Sessions of callers beside the gateway's own; the least recently used one is closed first. */
const maxSessions = 1000;

interface CallerSession {
  readonly opening: Promise<UpstreamSession>;
  /** It is open. */
  session: UpstreamSession | undefined;
}

export interface CallerSessionsOptions {
  readonly fleet: string;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  /** Opens a session as a caller. */
  readonly open: (caller: string) => Promise<UpstreamSession>;
}

/**
 * One session of the session era for each caller, for a server where callers have credentials of their own: a session
 * belongs to who opened it (basic/security, "Session Hijacking"). What the gateway asks for itself goes by its own.
 */
export class CallerSessions implements UpstreamSession {
  readonly ended: Promise<EndReason>;
  readonly #own: UpstreamSession;
  readonly #options: CallerSessionsOptions;
  readonly #sessions = new LRUCache<string, CallerSession>({
    max: maxSessions,
    dispose: ({ opening }) => void opening.then((it) => it.close()).catch(() => {}),
  });

  constructor(own: UpstreamSession, options: CallerSessionsOptions) {
    this.#own = own;
    this.#options = options;
    this.ended = own.ended;
  }

  get description(): ServerDescription {
    return this.#own.description;
  }

  async request(method: string, params: Params | undefined, exchange: Exchange): Promise<RpcReply> {
    const { caller } = exchange;
    if (caller === undefined) return this.#own.request(method, params, exchange);
    const entry = this.#of(caller);
    const session = entry.session ?? (await this.#opened(entry, exchange));
    try {
      return await session.request(method, params, exchange);
    } catch (error) {
      if (error instanceof FleetError && error.code === "UPSTREAM_SESSION_EXPIRED") this.#forget(caller, entry);
      throw error;
    }
  }

  notify(method: string, params?: Params): void {
    this.#own.notify(method, params);
    for (const { opening } of this.#sessions.values())
      void opening.then((it) => it.notify(method, params)).catch(() => {});
  }

  async close(): Promise<void> {
    const sessions = [...this.#sessions.values()];
    this.#sessions.clear();
    await Promise.all([
      this.#own.close(),
      ...sessions.map(({ opening }) => opening.then((it) => it.close()).catch(() => {})),
    ]);
  }

  #of(caller: string): CallerSession {
    const known = this.#sessions.get(caller);
    if (known !== undefined) return known;
    const entry: CallerSession = { opening: this.#options.open(caller), session: undefined };
    entry.opening.then(
      (session) => {
        entry.session = session;
        void session.ended.then(() => this.#forget(caller, entry));
      },
      () => this.#forget(caller, entry),
    );
    this.#sessions.set(caller, entry);
    return entry;
  }

  /** A call waits for its session no longer than it may take itself. */
  async #opened({ opening }: CallerSession, exchange: Exchange): Promise<UpstreamSession> {
    const { fleet, now } = this.#options;
    const latest = now() + exchange.remainingMs;
    const session = await withinTime(opening, exchange.remainingMs, exchange, fleet);
    exchange.remainingMs = Math.max(exchange.restMs(now(), latest), 1);
    return session;
  }

  #forget(caller: string, entry: CallerSession): void {
    if (this.#sessions.peek(caller) === entry) this.#sessions.delete(caller);
  }
}
