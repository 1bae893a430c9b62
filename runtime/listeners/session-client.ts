import type { ClientSession } from "../protocol/client-session.ts";
import type { ExchangeClient } from "../protocol/exchange.ts";
import type { Params, RpcReply } from "../protocol/json-rpc.ts";
import type { Question } from "../protocol/questions.ts";
import type { Answer } from "./target.ts";

/** A session-era client during one call: a server's requests go out where its other messages of the call do. */
export class SessionClient implements ExchangeClient {
  readonly modern = false;
  readonly #session: ClientSession;
  readonly #answer: Answer;

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

  get present(): boolean {
    return this.#answer.present !== false || this.#session.attached;
  }

  ask(method: string, params: Params | undefined, question: Question): Promise<RpcReply> {
    const send = (message: string) => this.#answer.send(message) || this.#session.notify(message);
    return this.#session.ask(method, params, send, question);
  }
}
