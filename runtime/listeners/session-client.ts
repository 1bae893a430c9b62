import type { ClientSession } from "../protocol/client-session.ts";
import type { ExchangeClient } from "../protocol/exchange.ts";
import type { Params, RpcReply } from "../protocol/json-rpc.ts";
import type { PostReply } from "./post-reply.ts";

/** A session-era client during one call: a server's requests go out on the call's own event stream. */
export class SessionClient implements ExchangeClient {
  readonly modern = false;
  readonly #session: ClientSession;
  readonly #reply: PostReply;
  #open = 0;

  constructor(session: ClientSession, reply: PostReply) {
    this.#session = session;
    this.#reply = reply;
  }

  get owner(): string {
    return this.#session.claims.id;
  }
  get capabilities(): Params {
    return this.#session.claims.client.capabilities;
  }
  get clientInfo(): Params | undefined {
    return this.#session.claims.client.clientInfo;
  }
  get logLevel(): string | undefined {
    return this.#session.logLevel;
  }

  get asked(): boolean {
    return this.#open > 0;
  }

  async ask(method: string, params: Params | undefined): Promise<RpcReply> {
    const send = (message: string) => this.#reply.send(message) || this.#session.notify(message);
    this.#open += 1;
    try {
      return await this.#session.ask(method, params, send);
    } finally {
      this.#open -= 1;
    }
  }
}
