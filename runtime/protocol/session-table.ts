import { randomBytes } from "node:crypto";
import { LRUCache } from "lru-cache";
import { FleetError } from "../errors.ts";
import { ClientSession } from "./client-session.ts";
import type { DownstreamRevision } from "./revisions.ts";
import type { ClientDeclaration, SessionClaims, SessionSealer } from "./sealed-session.ts";

export interface SessionTableOptions {
  readonly sealer: SessionSealer;
  readonly idleTimeoutMs: number;
  readonly maxAgeMs: number;
  readonly maxSessions: number;
  /** Slot of this worker process. Defaults to 0. */
  readonly worker?: number;
  /** Of one caller; past it the caller's own least recently used session goes, never another caller's. */
  readonly maxSessionsPerCaller: number;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  /** The session has gone from memory: its leases are to be given back. */
  readonly onGone: (session: ClientSession) => void;
}

/**
 * The sessions that this process has seen, by sealed id, so that an id is opened once and not on every call. One that
 * is not here (a restart, another worker) comes back from its id; one that the client ended does not.
 */
export class SessionTable {
  readonly #options: SessionTableOptions;
  readonly #live: LRUCache<string, ClientSession>;
  readonly #ended: LRUCache<string, true>;
  readonly #perCaller = new Map<string, number>();

  constructor(options: SessionTableOptions) {
    const { idleTimeoutMs, maxAgeMs, maxSessions, onGone } = options;
    this.#options = options;
    this.#live = new LRUCache({
      max: maxSessions,
      ttl: idleTimeoutMs,
      updateAgeOnGet: true,
      dispose: (session, sealed) => {
        this.#count(session.caller, -1);
        this.#ended.set(sealed, true);
        onGone(session);
      },
    });
    this.#ended = new LRUCache({ max: maxSessions, ttl: maxAgeMs });
  }

  get live(): number {
    return this.#live.size;
  }

  get max(): number {
    return this.#options.maxSessions;
  }

  /** Sessions in memory, the most recently used first. */
  sessions(): Iterable<ClientSession> {
    return this.#live.values();
  }

  /** Opens a session for `server`, or for all servers when undefined. */
  open(
    revision: DownstreamRevision,
    server: string | undefined,
    caller: string,
    client: ClientDeclaration,
  ): { id: string; session: ClientSession } {
    const { sealer, clock, worker = 0 } = this.#options;
    const session = new ClientSession({
      id: randomBytes(16).toString("base64url"),
      revision,
      server,
      caller,
      openedAt: clock(),
      worker,
      client,
    });
    const id = sealer.seal(session.claims);
    this.#keep(id, session);
    return { id, session };
  }

  /** The session of a sealed id. Throws SESSION_UNKNOWN for one that is forged, ended, too old, or another caller's. */
  find(id: string, server: string | undefined, caller: string): ClientSession {
    const session = this.#live.get(id) ?? this.#restore(id);
    const { claims } = session;
    const foreign = claims.server !== server || claims.caller !== caller;
    if (foreign || this.#options.clock() - claims.openedAt > this.#options.maxAgeMs) throw unknown();
    return session;
  }

  /** What an id says, whether its session is in memory or not; undefined for one that no key of ours has sealed. */
  claimsOf(id: string): SessionClaims | undefined {
    return this.#live.peek(id)?.claims ?? this.#options.sealer.open(id);
  }

  /** Ends a session for good. */
  end(id: string): void {
    this.#live.delete(id);
  }

  /** Forgets idle sessions; called now and then. */
  purge(): void {
    this.#live.purgeStale();
  }

  clear(): void {
    this.#live.clear();
  }

  #restore(id: string): ClientSession {
    const claims = this.#ended.has(id) ? undefined : this.#options.sealer.open(id);
    if (claims === undefined) throw unknown();
    const session = new ClientSession(claims);
    this.#keep(id, session);
    return session;
  }

  #keep(id: string, session: ClientSession): void {
    const { caller } = session;
    if ((this.#perCaller.get(caller) ?? 0) >= this.#options.maxSessionsPerCaller) this.#dropOldest(caller);
    this.#live.set(id, session);
    this.#count(caller, 1);
  }

  #dropOldest(caller: string): void {
    for (const id of this.#live.rkeys()) {
      if (this.#live.peek(id)?.caller !== caller) continue;
      this.#live.delete(id);
      return;
    }
  }

  #count(caller: string, change: number): void {
    const count = (this.#perCaller.get(caller) ?? 0) + change;
    if (count > 0) this.#perCaller.set(caller, count);
    else this.#perCaller.delete(caller);
  }
}

function unknown(): FleetError {
  return new FleetError("SESSION_UNKNOWN", "Session not found: it has ended or expired; initialize a new one");
}
