import type { Params, RpcReply } from "../protocol/json-rpc.ts";
import type { FleetCall } from "../registry/fleet-call.ts";
import { audienceOf, isContinuation, requestKey } from "./call-key.ts";
import { SharedCall } from "./shared-call.ts";
import { asksClient } from "./stored-reply.ts";

/** Among whom calls that are the same may share one: `caller` the calls of one caller, `everyone` all of them. */
export type Sharing = "caller" | "everyone";

export interface CoalescingOptions {
  readonly isolation: string;
  /** May calls like this one share an answer? Undefined when not: they may have an effect each. */
  readonly shares: (method: string, params: Params | undefined) => Sharing | undefined;
  /** A call has joined another one. */
  readonly onCoalesced: () => void;
}

/** Identical calls that are under way at the same time become one, if that cannot be told from outside. */
export class Coalescing {
  readonly #next: FleetCall;
  readonly #options: CoalescingOptions;
  readonly #shared = new Map<string, SharedCall>();

  constructor(next: FleetCall, options: CoalescingOptions) {
    this.#next = next;
    this.#options = options;
  }

  /** Different calls under way that others may join. */
  get size(): number {
    return this.#shared.size;
  }

  readonly call: FleetCall = (client, method, params, exchange) => {
    const { shares, isolation, onCoalesced } = this.#options;
    const sharing = shares(method, params);
    if (sharing === undefined || isContinuation(params)) return this.#next(client, method, params, exchange);
    const audience = sharing === "everyone" ? "" : audienceOf(client, isolation);
    const key = audience + requestKey(method, params);
    const under = this.#shared.get(key);
    if (under !== undefined && !under.cancelled) {
      onCoalesced();
      // A question to one client, or a task of one, is no answer to the other, nor is what another server said to one caller.
      return under.join(exchange, params).then((reply) => {
        if (!asksClient(reply) && !exchange.fellBack) return reply;
        exchange.fellBack = false;
        return this.#next(client, method, params, exchange);
      });
    }
    const shared = new SharedCall(exchange);
    this.#shared.set(key, shared);
    const reply = shared.join(exchange, params);
    void this.#run(key, shared, this.#next(client, method, params, shared.exchange));
    return reply;
  };

  async #run(key: string, shared: SharedCall, reply: Promise<RpcReply>): Promise<void> {
    try {
      shared.resolve(await reply);
    } catch (error) {
      shared.reject(error);
    } finally {
      if (this.#shared.get(key) === shared) this.#shared.delete(key);
    }
  }
}
