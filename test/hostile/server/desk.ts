import type { Era, Fault, LaterFault } from "../faults.ts";

export type Params = Record<string, unknown> & { readonly _meta?: Record<string, unknown> };

/** A message as far as a hostile server reads it. */
export interface Message {
  readonly id?: number | string;
  readonly method?: string;
  readonly params?: Params;
  readonly result?: unknown;
}

/** Arguments of the one tool, `play`: what the server is to do with this call, and words that only its caller knows. */
export interface Order {
  readonly fault: Fault;
  readonly canary: string;
  /** Played at the next request of that method. */
  readonly later?: { readonly method: string; readonly fault: LaterFault };
}

/** One thing that a server does on its carrier. */
export type Step =
  /** One whole message. */
  | { readonly say: string | Buffer }
  /** A part of a message that does not end here. */
  | { readonly piece: string }
  /** Bytes outside of any framing (HTTP only). */
  | { readonly raw: string }
  /** A message outside of the call, where the carrier has such a place. */
  | { readonly aside: string }
  /** Reads nothing for so many milliseconds. */
  | { readonly unread: number }
  | { readonly end: "half" | "reset" | "exit" };

/** What one hostile server knows over all its connections. */
export class Desk {
  readonly era: Era;
  /** Ids of calls that wait for their answers. */
  readonly pending = new Set<number | string>();
  readonly #later = new Map<string, LaterFault>();
  readonly #questions = new Map<string, (answer: unknown) => void>();
  #asked = 0;

  constructor(era: Era) {
    this.era = era;
  }

  arm({ method, fault }: NonNullable<Order["later"]>): void {
    this.#later.set(method, fault);
  }

  /** The fault that is due at this method, once. */
  due(method: string): LaterFault | undefined {
    const fault = this.#later.get(method);
    this.#later.delete(method);
    return fault;
  }

  nextQuestion(): string {
    this.#asked += 1;
    return `q-${this.#asked}`;
  }

  /** Resolves with the client's answer, or with undefined when it takes too long. */
  answerTo(id: string, ms: number): Promise<unknown> {
    return new Promise((resolve) => {
      const done = (answer: unknown) => {
        clearTimeout(timer);
        this.#questions.delete(id);
        resolve(answer);
      };
      const timer = setTimeout(done, ms, undefined);
      this.#questions.set(id, done);
    });
  }

  answered({ id, result }: Message): void {
    this.#questions.get(String(id))?.(result);
  }
}
