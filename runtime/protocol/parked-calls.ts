import { randomUUID } from "node:crypto";
import { LRUCache } from "lru-cache";
import { FleetError } from "../errors.ts";
import type { ParkedCall } from "./parked-call.ts";
import type { Sealer } from "./sealer.ts";

export interface ParkedCallsOptions {
  readonly sealer: Sealer;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  /** Calls that may wait for their clients at once; the oldest one gives way. */
  readonly max: number;
  /** Of one caller; past it the caller's own oldest one gives way, never another caller's. Defaults to 256. */
  readonly maxPerCaller?: number;
  /** How long a client may take to answer, in milliseconds. */
  readonly expiryMs: number;
  /** How long it is taken to be there when others wait for the server, in milliseconds. Defaults to 20000. */
  readonly presentMs?: number;
  /** Slot of this worker process. Defaults to 0. */
  readonly worker?: number;
}

const usualPerCaller = 256;
/**
 * A person who is there answers most questions within this time, in milliseconds. It is shorter than others wait for a place (`connectMs`): the
 * instance has to end, and another one to start, before their time is up.
 */
export const usualPresentMs = 20_000;

/** Tells our `requestState` from a server's own, which can be a server host's or another gateway's: the key's mark follows. */
const ours = "mcp-fleet:";

/**
 * The calls of this process that wait for their clients. A `requestState` names one of them and is sealed with its
 * caller, a digest of its request and its expiry, as the specification advises (basic/patterns/mrtr, "Security").
 */
export class ParkedCalls {
  readonly #options: ParkedCallsOptions;
  readonly #calls: LRUCache<string, ParkedCall>;
  /** Handles of each caller, the oldest first. */
  readonly #ofCaller = new Map<string, Set<string>>();
  readonly #callers = new Map<string, string>();

  constructor(options: ParkedCallsOptions) {
    this.#options = options;
    this.#calls = new LRUCache({
      max: options.max,
      ttl: options.expiryMs,
      ttlAutopurge: true,
      dispose: (call, handle, reason) => {
        this.#forget(handle);
        if (reason !== "delete") call.cancel("the client did not answer in time");
      },
    });
  }

  get size(): number {
    return this.#calls.size;
  }

  get max(): number {
    return this.#options.max;
  }

  /** Is it a state of the gateway's own, rather than of a server? One that was changed behind its mark still is. */
  owns(requestState: unknown): requestState is string {
    return (
      typeof requestState === "string" &&
      this.#options.sealer.marks.some((mark) => requestState.startsWith(`${ours}${mark}:`))
    );
  }

  /** Keeps a call of a caller until its client comes back; returns the `requestState` that the client must bring. */
  park(call: ParkedCall, caller: string): string {
    const { sealer, clock, expiryMs, worker = 0, maxPerCaller = usualPerCaller } = this.#options;
    const handle = randomUUID();
    const own = this.#ofCaller.get(caller) ?? new Set<string>();
    for (const oldest of own) {
      if (own.size < maxPerCaller) break;
      this.#end(oldest, "the caller has too many calls that wait for its answers");
    }
    this.#ofCaller.set(caller, own.add(handle));
    this.#callers.set(handle, caller);
    this.#calls.set(handle, call);
    const sealed = sealer.seal(JSON.stringify([handle, call.binding, clock() + expiryMs, worker]));
    return `${ours}${sealer.marks[0]}:${sealed}`;
  }

  /** Slot of the worker process that parked the call; undefined for a state that is not the gateway's own. */
  workerOf(requestState: unknown): number | undefined {
    const plain = this.owns(requestState) ? this.#options.sealer.open(sealedIn(requestState)) : undefined;
    return plain === undefined ? undefined : (JSON.parse(plain) as [string, string, number, number])[3];
  }

  /** Takes a call back. Throws INVALID_PARAMS for a state that is forged, used, expired or another request's. */
  resume(requestState: string, binding: string): ParkedCall {
    const { sealer, clock } = this.#options;
    const plain = sealer.open(sealedIn(requestState));
    if (plain === undefined) throw invalid("was not made here, or has been changed");
    const [handle, bound, expiresAt] = JSON.parse(plain) as [string, string, number];
    if (bound !== binding) throw invalid("belongs to another request");
    const call = this.#calls.get(handle);
    if (call === undefined || clock() > expiresAt)
      throw invalid("has expired or was used before; call anew without it");
    this.#calls.delete(handle);
    return call;
  }

  /**
   * Others wait for one of these places: gives up the call at one of them that has been parked longest, if that is longer
   * than a person who is there needs. Its client can be gone, and nothing shows it. False when there is none.
   */
  giveUp(places: ReadonlySet<object>): boolean {
    const { expiryMs, presentMs = usualPresentMs } = this.#options;
    for (const handle of this.#calls.rkeys()) {
      if (expiryMs - this.#calls.getRemainingTTL(handle) < presentMs) return false;
      const call = this.#calls.peek(handle);
      if (call?.place === undefined || !places.has(call.place)) continue;
      this.#end(handle, "others wait for the server, and the client has not come back with an answer; call again");
      return true;
    }
    return false;
  }

  #end(handle: string, reason: string): void {
    const call = this.#calls.peek(handle);
    this.#calls.delete(handle);
    call?.cancel(reason);
  }

  #forget(handle: string): void {
    const caller = this.#callers.get(handle) as string;
    this.#callers.delete(handle);
    const own = this.#ofCaller.get(caller);
    own?.delete(handle);
    if (own?.size === 0) this.#ofCaller.delete(caller);
  }

  close(): void {
    for (const call of this.#calls.values()) call.cancel("the gateway is shutting down");
    this.#calls.clear();
  }
}

/** What stands behind both marks. */
const sealedIn = (requestState: string): string => requestState.slice(requestState.indexOf(":", ours.length) + 1);

const invalid = (problem: string) => new FleetError("INVALID_PARAMS", `Invalid params: "requestState" ${problem}`);
