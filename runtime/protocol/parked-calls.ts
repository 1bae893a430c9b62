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
  /** How long a client may take to answer, in milliseconds. */
  readonly expiryMs: number;
  /** Slot of this worker process. Defaults to 0. */
  readonly worker?: number;
}

/** Tells our `requestState` from a server's own. */
const mark = "mcp-fleet:";

/**
 * The calls of this process that wait for their clients. A `requestState` names one of them and is sealed with its
 * caller, a digest of its request and its expiry, as the specification advises (basic/patterns/mrtr, "Security").
 */
export class ParkedCalls {
  readonly #options: ParkedCallsOptions;
  readonly #calls: LRUCache<string, ParkedCall>;

  constructor(options: ParkedCallsOptions) {
    this.#options = options;
    this.#calls = new LRUCache({
      max: options.max,
      ttl: options.expiryMs,
      ttlAutopurge: true,
      dispose: (call, _handle, reason) => {
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

  /** Is it a state of the gateway's own, rather than of a server? */
  owns(requestState: unknown): requestState is string {
    return typeof requestState === "string" && requestState.startsWith(mark);
  }

  /** Keeps a call until its client comes back; returns the `requestState` that the client must bring. */
  park(call: ParkedCall): string {
    const { sealer, clock, expiryMs, worker = 0 } = this.#options;
    const handle = randomUUID();
    this.#calls.set(handle, call);
    return mark + sealer.seal(JSON.stringify([handle, call.binding, clock() + expiryMs, worker]));
  }

  /** Slot of the worker process that parked the call; undefined for a state that is not the gateway's own. */
  workerOf(requestState: unknown): number | undefined {
    const plain = this.owns(requestState) ? this.#options.sealer.open(requestState.slice(mark.length)) : undefined;
    return plain === undefined ? undefined : (JSON.parse(plain) as [string, string, number, number])[3];
  }

  /** Takes a call back. Throws INVALID_PARAMS for a state that is forged, used, expired or another request's. */
  resume(requestState: string, binding: string): ParkedCall {
    const { sealer, clock } = this.#options;
    const plain = sealer.open(requestState.slice(mark.length));
    if (plain === undefined) throw invalid("was not made here, or has been changed");
    const [handle, bound, expiresAt] = JSON.parse(plain) as [string, string, number];
    if (bound !== binding) throw invalid("belongs to another request");
    const call = this.#calls.get(handle);
    if (call === undefined || clock() > expiresAt)
      throw invalid("has expired or was used before; call anew without it");
    this.#calls.delete(handle);
    return call;
  }

  close(): void {
    for (const call of this.#calls.values()) call.cancel("the gateway is shutting down");
    this.#calls.clear();
  }
}

const invalid = (problem: string) => new FleetError("INVALID_PARAMS", `Invalid params: "requestState" ${problem}`);
