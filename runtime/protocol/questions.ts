import { FleetError } from "../errors.ts";
import type { ExchangeClient } from "./exchange.ts";
import type { Params, RpcReply } from "./json-rpc.ts";

/** Questions of one call that may be open at once: servers ask some things together, a person sees one form at a time. */
export const maxOpenOfCall = 16;
/** Questions of one call in all its life. A server that asks more counts in circles, and the call fails. */
export const maxOfCall = 256;
/** How long a client may take for one answer, in milliseconds: a person may have to look something up. */
export const questionMs = 10 * 60_000;
/** Time that a call may spend on questions in all, in milliseconds, beside `requestMs` for the server's own work. */
export const maxAskedMs = 60 * 60_000;
/** A call ends when it waits for a client that has had neither stream nor connection for this long: some come back. */
export const goneMs = 10_000;
/** How often a call that waits looks whether its client is there. */
const lookMs = 1000;

/** One request of a server to the client of a call, which either side of it may withdraw. */
export class Question {
  #withdrawn: FleetError | undefined;
  #onWithdrawn: ((error: FleetError) => void) | undefined;

  /** Says what to do when nobody waits for the answer any more; done at once when that came first. */
  onWithdrawn(withdraw: (error: FleetError) => void): void {
    this.#onWithdrawn = withdraw;
    if (this.#withdrawn !== undefined) withdraw(this.#withdrawn);
  }

  withdraw(error: FleetError): void {
    if (this.#withdrawn !== undefined) return;
    this.#withdrawn = error;
    this.#onWithdrawn?.(error);
  }
}

/**
 * What the server of one call asks its client: bounded in number and in time. The call's deadline stands still while a
 * question is open, so that a person's time does not count as the server's.
 */
export class Questions {
  readonly #client: ExchangeClient;
  readonly #end: (error: FleetError) => void;
  readonly #now: () => number;
  readonly #open = new Set<Question>();
  #count = 0;
  /** Time with an open question that has passed, and since when one is open now. */
  #askedMs = 0;
  #since = 0;
  /** How far the deadline has been moved. */
  #grantedMs = 0;
  #look: NodeJS.Timeout | undefined;
  #absentSince: number | undefined;

  /** `end` fails the call. `now` is a monotonic clock in milliseconds; defaults to that of the process. */
  constructor(client: ExchangeClient, end: (error: FleetError) => void, now: () => number = () => performance.now()) {
    this.#client = client;
    this.#end = end;
    this.#now = now;
  }

  get open(): number {
    return this.#open.size;
  }

  /**
   * Puts a question to the client. Rejects with OVERLOADED past `maxOpenOfCall`, with REQUEST_TIMEOUT after `questionMs`,
   * and when the call ends before the answer has come.
   */
  async ask(method: string, params: Params | undefined): Promise<RpcReply> {
    this.#count += 1;
    if (this.#count > maxOfCall) {
      const text = `the server asked the client more than ${maxOfCall} times in one call; correct the server`;
      const error = new FleetError("UPSTREAM_PROTOCOL", text);
      this.#end(error);
      throw error;
    }
    if (this.#open.size >= maxOpenOfCall) {
      const text = `${method}: ${maxOpenOfCall} questions of this call wait for the client; ask again when one is answered`;
      throw new FleetError("OVERLOADED", text);
    }
    const question = new Question();
    this.#opened(question);
    const timer = setTimeout(() => {
      const text = `${method}: the client did not answer within ${questionMs} ms`;
      question.withdraw(new FleetError("REQUEST_TIMEOUT", text));
    }, questionMs);
    try {
      return await this.#client.ask(method, params, question);
    } finally {
      clearTimeout(timer);
      this.#closed(question);
    }
  }

  /** When the call's time is up: how much longer it may take for the time that its client has taken; 0 for no longer. */
  overtimeMs(): number {
    const open = this.#open.size > 0;
    const asked = this.#askedMs + (open ? this.#now() - this.#since : 0);
    const due = Math.min(asked, maxAskedMs) - this.#grantedMs;
    if (due <= 0 && !(open && asked < maxAskedMs)) return 0;
    const granted = open ? Math.max(due, lookMs) : due;
    this.#grantedMs += granted;
    return granted;
  }

  /** How far the deadline has been moved for the time that the client has taken so far. */
  movedMs(): number {
    this.overtimeMs();
    return this.#grantedMs;
  }

  /** Nobody waits for the questions that are open. */
  close(error: FleetError): void {
    for (const question of [...this.#open]) question.withdraw(error);
  }

  #opened(question: Question): void {
    if (this.#open.size === 0) {
      this.#since = this.#now();
      this.#absentSince = undefined;
      this.#look = setInterval(() => this.#lookForClient(), lookMs).unref();
    }
    this.#open.add(question);
  }

  #closed(question: Question): void {
    this.#open.delete(question);
    if (this.#open.size > 0) return;
    clearInterval(this.#look);
    this.#askedMs += this.#now() - this.#since;
  }

  #lookForClient(): void {
    if (this.#client.present) {
      this.#absentSince = undefined;
      return;
    }
    this.#absentSince ??= this.#now();
    if (this.#now() - this.#absentSince < goneMs) return;
    this.#end(new FleetError("CANCELLED", "the client has neither a stream nor a connection on which it could answer"));
  }
}
