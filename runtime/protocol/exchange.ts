import type { Params } from "./json-rpc.ts";

/** Something that a server says about a call while it works on it: progress, a log line. */
export type ExchangeListener = (method: string, params: Params | undefined) => void;

/**
 * One call on its way through the gateway: its deadline, its cancellation and what its server says meanwhile.
 * Instead of an AbortController and an event target per call, which cost more than the call's own JSON.
 */
export class Exchange {
  readonly timeoutMs: number;
  readonly listener: ExchangeListener | undefined;
  #cancelled: string | undefined;
  #canceller: ((reason: string) => void) | undefined;

  constructor(timeoutMs: number, listener?: ExchangeListener) {
    this.timeoutMs = timeoutMs;
    this.listener = listener;
  }

  /** Why it was cancelled; undefined while it goes on. */
  get cancelled(): string | undefined {
    return this.#cancelled;
  }

  /** Says what to do on cancellation; done at once when that came first. */
  onCancel(canceller: (reason: string) => void): void {
    this.#canceller = canceller;
    if (this.#cancelled !== undefined) canceller(this.#cancelled);
  }

  cancel(reason: string): void {
    if (this.#cancelled !== undefined) return;
    this.#cancelled = reason;
    this.#canceller?.(reason);
  }
}
