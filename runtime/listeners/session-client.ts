import type { ClientSession } from "../protocol/client-session.ts";
import type { ExchangeClient } from "../protocol/exchange.ts";
import type { Params, RpcReply } from "../protocol/json-rpc.ts";
import type { Answer } from "./target.ts";

/** A session-era client during one call: a server's requests go out where its other messages of the call do. */
export class SessionClient implements ExchangeClient {
  readonly modern = false;
  readonly #session: ClientSession;
  readonly #answer: Answer;
  #open = 0;

  constructor(session: ClientSession, answer: Answer) {
    this.#session = session;
    this.#answer = answer;
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
    const send = (message: string) => this.#answer.send(message) || this.#session.notify(message);
    this.#open += 1;
    try {
      return await this.#session.ask(method, params, send);
    } finally {
      this.#open -= 1;
    }
  }
}
