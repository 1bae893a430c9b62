import { FleetError } from "../errors.ts";
import type { Exchange } from "./exchange.ts";
import type { Params, RpcReply } from "./json-rpc.ts";
import type { Question } from "./questions.ts";

/** Questions that come at once are put to the client in one answer; those after so many milliseconds in the next one. */
const gatherMs = 15;

interface Ask {
  readonly method: string;
  readonly params: Params | undefined;
  readonly answered: PromiseWithResolvers<RpcReply>;
}

/**
 * A call of a stateless client to a server of the session era, which asks by requests of its own: it is parked while the
 * client, which is asked by results, finds the answers (basic/patterns/mrtr).
 */
export class ParkedCall {
  readonly #bind: () => string;
  readonly #asks = new Map<string, Ask>();
  #running: Promise<RpcReply> | undefined;
  #exchange: Exchange | undefined;
  #lastKey = 0;
  #asked = Promise.withResolvers<"asked">();

  /** `bind` says who may go on with it; asked only when the call is parked, which most never are. */
  constructor(bind: () => string) {
    this.#bind = bind;
  }

  /** Who may go on with it: caller and digest of the request. */
  get binding(): string {
    return this.#bind();
  }

  /** Does it wait for the client? */
  get waiting(): boolean {
    return this.#asks.size > 0;
  }

  /** Where its server is. */
  get place(): object | undefined {
    return this.#exchange?.place;
  }

  run(exchange: Exchange, running: Promise<RpcReply>): void {
    this.#exchange = exchange;
    this.#running = running;
    // Whoever asks for the outcome hears of a failure; while it is parked, nobody does.
    running.catch(() => {});
  }

  /** A server's question; resolves with the client's answer, rejects when it is withdrawn. Its number is bounded by `Questions`. */
  ask(method: string, params: Params | undefined, question: Question): Promise<RpcReply> {
    this.#lastKey += 1;
    const key = `input-${this.#lastKey}`;
    const answered = Promise.withResolvers<RpcReply>();
    this.#asks.set(key, { method, params, answered });
    question.onWithdrawn((error) => {
      this.#asks.delete(key);
      answered.reject(error);
    });
    setTimeout(() => this.#asked.resolve("asked"), gatherMs);
    return answered.promise;
  }

  /** Resolves when questions that came together with one of this moment have been put to the client. */
  gathered(): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, 2 * gatherMs));
  }

  /** The result, or the questions that come before it. */
  async next(): Promise<RpcReply | { readonly inputRequests: Params }> {
    const outcome = await Promise.race([this.#running as Promise<RpcReply>, this.#asked.promise]);
    if (outcome !== "asked") return outcome;
    const inputRequests = [...this.#asks].map(([key, { method, params }]) => [key, { method, params: params ?? {} }]);
    return { inputRequests: Object.fromEntries(inputRequests) };
  }

  /** The client's answers; what it left out is asked again. */
  answer(responses: Params): void {
    for (const [key, { answered }] of [...this.#asks]) {
      const result = responses[key];
      if (result === undefined) continue;
      this.#asks.delete(key);
      answered.resolve({ result });
    }
    this.#asked = Promise.withResolvers();
    if (this.waiting) this.#asked.resolve("asked");
  }

  cancel(reason: string): void {
    for (const { answered } of this.#asks.values()) answered.reject(new FleetError("CANCELLED", reason));
    this.#asks.clear();
    this.#exchange?.cancel(reason);
  }
}
