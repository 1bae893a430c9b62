import { FleetError } from "../errors.ts";
import { Exchange, type ExchangeClient } from "../protocol/exchange.ts";
import type { Params, RpcReply } from "../protocol/json-rpc.ts";
import type { Question } from "../protocol/questions.ts";
import { RawReply } from "../protocol/raw-reply.ts";

interface Waiter {
  readonly exchange: Exchange;
  readonly progressToken: unknown;
  readonly resolve: (reply: RpcReply) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * One call upstream for several waiters. It goes on until the last of them has cancelled; each hears of its progress
 * under a progress token of its own; a question of the server goes to the one who has waited longest.
 */
export class SharedCall implements ExchangeClient {
  /** The exchange of the call upstream. Its deadline is the first waiter's. */
  readonly exchange: Exchange;
  readonly #waiters = new Set<Waiter>();

  constructor({ timeoutMs, client, deadline }: Exchange) {
    const told = (method: string, params: Params | undefined) => this.#tell(method, params);
    this.exchange = new Exchange(timeoutMs, told, client === undefined ? undefined : this);
    this.exchange.deadline = deadline;
  }

  /** Everybody has left it. */
  get cancelled(): boolean {
    return this.exchange.cancelled !== undefined;
  }

  join(exchange: Exchange, params: Params | undefined): Promise<RpcReply> {
    return new Promise((resolve, reject) => {
      const progressToken = (params?._meta as Params | undefined)?.progressToken;
      const waiter: Waiter = { exchange, progressToken, resolve, reject };
      this.#waiters.add(waiter);
      if (this.exchange.priority === undefined) this.exchange.priority = exchange.priority;
      exchange.onCancel((reason) => this.#leave(waiter, reason));
    });
  }

  resolve(reply: RpcReply): void {
    if (this.#waiters.size > 1 && reply instanceof RawReply) reply.keep();
    for (const waiter of this.#waiters) waiter.resolve(reply);
  }

  reject(error: unknown): void {
    for (const waiter of this.#waiters) waiter.reject(error);
  }

  get owner(): string {
    return this.#first?.owner ?? "";
  }

  get modern(): boolean {
    return this.#first?.modern ?? false;
  }

  get capabilities(): Params {
    return this.#first?.capabilities ?? {};
  }

  get clientInfo(): Params | undefined {
    return this.#first?.clientInfo;
  }

  get logLevel(): string | undefined {
    return this.#first?.logLevel;
  }

  get present(): boolean {
    return this.#first?.present ?? false;
  }

  ask(method: string, params: Params | undefined, question: Question): Promise<RpcReply> {
    const client = this.#first;
    if (client !== undefined) return client.ask(method, params, question);
    return Promise.reject(new FleetError("CANCELLED", `${method}: nobody waits for the call any more`));
  }

  get #first(): ExchangeClient | undefined {
    for (const { exchange } of this.#waiters) if (exchange.client !== undefined) return exchange.client;
    return undefined;
  }

  #tell(method: string, params: Params | undefined): void {
    const progress = method === "notifications/progress";
    for (const { exchange, progressToken } of this.#waiters) {
      if (!progress) exchange.listener?.(method, params);
      else if (progressToken !== undefined) exchange.listener?.(method, { ...params, progressToken });
    }
  }

  #leave(waiter: Waiter, reason: string): void {
    if (!this.#waiters.delete(waiter)) return;
    waiter.reject(new FleetError("CANCELLED", `cancelled by the client: ${reason}`));
    if (this.#waiters.size === 0) this.exchange.cancel(reason);
  }
}
