import { randomBytes } from "node:crypto";
import { LRUCache } from "lru-cache";
import { FleetError } from "../errors.ts";
import { ClientSession } from "./client-session.ts";
import type { EndedSessions } from "./ended-sessions.ts";
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
  /** Milliseconds of a clock that nobody sets, for `idleTimeoutMs`. Defaults to `performance.now`. */
  readonly steadyClock?: () => number;
  /** The session has ended: its leases are to be given back. */
  readonly onGone: (session: ClientSession) => void;
  /** Sessions that their clients have ended, also before this process began. */
  readonly endedForGood: Pick<EndedSessions, "add" | "has">;
  /** Does anything but the session's id know of it, such as a fleet that keeps an instance for it? */
  readonly isHeld: (session: ClientSession) => boolean;
}

/** A session that nothing is kept for is forgotten when it was not used for so long: its id brings it back. */
const restMs = 10_000;
/** So many are kept without that, to spare opening their ids on every call. */
const maxResting = 2048;
/** So many of the least recently used ones are looked at when another one comes. */
const lookedAt = 8;

/**
 * The sessions that this process has seen, by sealed id, so that an id is opened once and not on every call. One that
 * is not here (a restart, another worker) comes back from its id; one that the client ended does not.
 */
export class SessionTable {
  readonly #options: SessionTableOptions;
  readonly #live: LRUCache<string, ClientSession>;
  /** By the id inside the sealed one, which has one spelling for all time. */
  readonly #ended: LRUCache<string, true>;
  #forgetting = false;
  readonly #perCaller = new Map<string, number>();

  constructor(options: SessionTableOptions) {
    const { idleTimeoutMs, maxAgeMs, maxSessions, steadyClock, onGone } = options;
    this.#options = options;
    this.#live = new LRUCache({
      max: maxSessions,
      ttl: idleTimeoutMs,
      updateAgeOnGet: true,
      ...(steadyClock === undefined ? {} : { perf: { now: steadyClock } }),
      dispose: (session) => {
        this.#count(session.caller, -1);
        if (this.#forgetting) return;
        this.#ended.set(session.claims.id, true);
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

  /** Does a client of this caller read a stream of one of its sessions now? */
  attached(caller: string): boolean {
    if (!this.#perCaller.has(caller)) return false;
    for (const session of this.#live.values()) if (session.caller === caller && session.attached) return true;
    return false;
  }

  /** Ends the event streams of all sessions: their clients open others. */
  endStreams(): void {
    for (const session of this.#live.values()) for (const stream of session.streams) stream.end();
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

  /** Ends a session. With `forGood` its id is refused after a restart too: another party than this process knows it. */
  end(id: string, forGood = false): void {
    const session = forGood ? this.#live.peek(id) : undefined;
    this.#live.delete(id);
    if (session !== undefined) this.#options.endedForGood.add(session.claims.id);
  }

  /**
   * Ends sessions that were idle for too long, and forgets those that only rest. To be called at least twice in
   * `idleTimeoutMs`, so that a session in use never reaches its end.
   */
  purge(): void {
    for (const [id, session] of [...this.#live.entries()]) if (session.inUse) this.#live.get(id);
    this.#live.purgeStale();
    for (const id of [...this.#live.rkeys()]) {
      if (this.#options.idleTimeoutMs - this.#live.getRemainingTTL(id) < restMs) return;
      this.#forgetResting(id);
    }
  }

  /** Takes a session out of memory of which its id says everything. */
  #forgetResting(id: string): void {
    const session = this.#live.peek(id);
    if (session === undefined || !session.atRest || this.#options.isHeld(session)) return;
    this.#forgetting = true;
    this.#live.delete(id);
    this.#forgetting = false;
  }

  clear(): void {
    this.#live.clear();
  }

  #restore(id: string): ClientSession {
    const { sealer, endedForGood } = this.#options;
    const claims = sealer.open(id);
    if (claims === undefined || this.#ended.has(claims.id) || endedForGood.has(claims.id)) throw unknown();
    const session = new ClientSession(claims);
    this.#keep(id, session);
    return session;
  }

  #keep(id: string, session: ClientSession): void {
    const { caller } = session;
    if ((this.#perCaller.get(caller) ?? 0) >= this.#options.maxSessionsPerCaller) this.#dropOldest(caller);
    this.#live.set(id, session);
    this.#count(caller, 1);
    if (this.#live.size > maxResting) this.#makeRoom();
  }

  #makeRoom(): void {
    let looked = 0;
    for (const id of this.#live.rkeys()) {
      this.#forgetResting(id);
      looked += 1;
      if (looked === lookedAt || this.#live.size <= maxResting) return;
    }
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
