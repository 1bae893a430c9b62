import { FleetError } from "../../errors.ts";
import type { Exchange } from "../../protocol/exchange.ts";
import type { Params, RpcReply } from "../../protocol/json-rpc.ts";
import type { FleetClient } from "../fleet-client.ts";
import type { Instance } from "../instance.ts";
import type { InstanceSource } from "../instance-source.ts";
import type { RetryBudget } from "./retry-budget.ts";

export interface MovableCallOptions {
  readonly source: InstanceSource;
  readonly leaseOf: (client: FleetClient) => string;
  readonly budget: RetryBudget;
  /** The first one included. */
  readonly attempts: number;
  readonly now: () => number;
  /** A call went to another instance too. */
  readonly onMoved: () => void;
  /** An attempt was answered. */
  readonly onAnswered: (subject: string, ms: number) => void;
}

/**
 * A call that may be repeated, on an instance of several. When that instance says nothing, another one is asked too, and the
 * first answer counts. The first attempt goes on, because a busy instance looks like one that hangs.
 */
export class MovableCall {
  readonly #options: MovableCallOptions;
  readonly #client: FleetClient;
  readonly #method: string;
  readonly #params: Params | undefined;
  readonly #exchange: Exchange;
  readonly #attempts: Exchange[] = [];
  /** Attempts that have not failed, those included for which an instance is being found. */
  #open = 1;
  #over = false;
  #resolve: (reply: RpcReply) => void = () => {};
  #reject: (error: unknown) => void = () => {};

  constructor(
    options: MovableCallOptions,
    client: FleetClient,
    method: string,
    params: Params | undefined,
    exchange: Exchange,
  ) {
    this.#options = options;
    this.#client = client;
    this.#method = method;
    this.#params = params;
    this.#exchange = exchange;
  }

  /** Sends it; resolves with the first answer, rejects with the last failure. */
  send(instance: Instance): Promise<RpcReply> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      this.#attempt(instance);
    });
  }

  /** Asks another instance too. False when it cannot, for now or for good. */
  move(from: object): boolean {
    const { source, budget, attempts, onMoved } = this.#options;
    if (this.#over || this.#attempts.length >= attempts) return false;
    const exchange = this.#exchange;
    exchange.avoid ??= new Set();
    const avoid = exchange.avoid.add(from);
    if (!source.backends.some((backend) => backend.usable && !avoid.has(backend)) || !budget.take()) return false;
    onMoved();
    this.#open += 1;
    void this.#elsewhere(avoid).catch((error) => this.#failed(error));
    return true;
  }

  async #elsewhere(avoid: ReadonlySet<object>): Promise<void> {
    const { source, leaseOf, now } = this.#options;
    const exchange = this.#exchange;
    const lease = leaseOf(this.#client);
    exchange.remainingMs = Math.max(1, exchange.leftMs(now()));
    const instance = source.pick(lease, exchange) ?? (await source.acquire(lease, exchange, this.#client));
    if (this.#over || avoid.has(instance.backend)) {
      throw new FleetError("INSTANCE_LOST", `${instance.id} did not answer, and no other instance can; call again`);
    }
    exchange.remainingMs = Math.max(1, exchange.leftMs(now()));
    this.#attempt(instance);
    exchange.onCancel((reason) => this.#cancel(reason));
  }

  #attempt(instance: Instance): void {
    const { backend } = instance;
    const exchange = this.#exchange.attempt();
    this.#exchange.place = backend;
    this.#attempts.push(exchange);
    const entry = new Attempt(this, backend, this.#options.now(), this.#method, this.#params);
    backend.movable.add(entry);
    instance.request(this.#method, this.#params, exchange).then(
      (reply) => {
        backend.movable.delete(entry);
        this.#answered(exchange, entry, reply);
      },
      (error) => {
        backend.movable.delete(entry);
        this.#failed(error);
      },
    );
  }

  #answered(by: Exchange, { subject, began }: Attempt, reply: RpcReply): void {
    if (this.#over) return;
    this.#over = true;
    this.#options.onAnswered(subject, this.#options.now() - began);
    if (this.#attempts.length > 1) this.#cancel("another instance answered first", by);
    this.#resolve(reply);
  }

  #failed(error: unknown): void {
    this.#open -= 1;
    if (this.#open > 0 || this.#over) return;
    this.#over = true;
    this.#reject(error);
  }

  #cancel(reason: string, except?: Exchange): void {
    for (const attempt of this.#attempts) if (attempt !== except) attempt.cancel(reason);
  }
}

/** One attempt of a movable call, on one instance. */
export class Attempt {
  readonly began: number;
  /** What is called: the tool, or the method. */
  readonly subject: string;
  readonly #call: MovableCall;
  readonly #backend: object;
  #moved = false;

  constructor(call: MovableCall, backend: object, began: number, method: string, params: Params | undefined) {
    this.#call = call;
    this.#backend = backend;
    this.began = began;
    this.subject = method === "tools/call" ? String(params?.name) : method;
  }

  /** Asks another instance too, once. True when it has done so now. */
  move(): boolean {
    if (this.#moved) return false;
    this.#moved = this.#call.move(this.#backend);
    return this.#moved;
  }
}
