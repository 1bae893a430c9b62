import { FleetError } from "../../errors.ts";
import type { Exchange } from "../../protocol/exchange.ts";
import type { Params, RpcReply } from "../../protocol/json-rpc.ts";
import type { FleetClient } from "../../registry/fleet.ts";
import type { EndReason, ServerDescription, UpstreamSession } from "../../upstreams/upstream-session.ts";
import type { Batcher } from "./batcher.ts";

/** What a session does besides sending requests. */
export type SessionRest = Pick<UpstreamSession, "description" | "ended" | "notify" | "close">;

/** Requests of a session come from many clients, whom the server does not know. */
const nobody: FleetClient = { owner: "", caller: undefined };

/** A session whose requests go out in batches. */
export class BatchedSession implements UpstreamSession {
  readonly ended: Promise<EndReason>;
  readonly #rest: SessionRest;
  readonly #batcher: Batcher;
  readonly #forgotten = Promise.withResolvers<string>();

  constructor(rest: SessionRest, batcher: Batcher) {
    this.#rest = rest;
    this.#batcher = batcher;
    this.ended = Promise.race([rest.ended, this.#forgotten.promise]);
  }

  get description(): ServerDescription {
    return this.#rest.description;
  }

  async request(method: string, params: Params | undefined, exchange: Exchange): Promise<RpcReply> {
    try {
      return await this.#batcher.call(nobody, method, params, exchange);
    } catch (error) {
      if (error instanceof FleetError && error.code === "UPSTREAM_SESSION_EXPIRED")
        this.#forgotten.resolve(error.message);
      throw error;
    }
  }

  notify(method: string, params?: Params): void {
    this.#rest.notify(method, params);
  }

  async close(): Promise<void> {
    await this.#rest.close();
    await this.#batcher.close();
  }
}
