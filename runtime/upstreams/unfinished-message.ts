/** A message is watched when this much of it has come, in bytes. Less may stay: it is no more than what a connection costs. */
const watchedBytes = 1024 * 1024;
/** How long a server may be silent in the middle of such a message, in milliseconds; at most twice as long. */
export const silentMs = 15_000;

/** Why a connection is closed whose server has stopped in the middle of a message. */
export const messageUnfinished = (bytes: number): string =>
  `the server has stopped in the middle of a message, after ${bytes} bytes, for ${silentMs / 1000} seconds`;

/**
 * Watches a large message that has begun and does not go on: what has come of it would be kept for as long as the connection
 * lives. A message that grows, however slowly, is let be; its size and its call have bounds of their own.
 */
export class UnfinishedMessage {
  readonly #onStalled: (problem: string) => void;
  #timer: NodeJS.Timeout | undefined;
  #bytes = 0;
  #checked = 0;

  /** `onStalled` is called once, unless the message goes on. */
  constructor(onStalled: (problem: string) => void) {
    this.#onStalled = onStalled;
  }

  /** So much of the message is there. */
  grown(bytes: number): void {
    if (bytes < watchedBytes) return;
    this.#bytes = bytes;
    this.#timer ??= setInterval(() => this.#check(), silentMs).unref();
  }

  /** The message has ended. */
  ended(): void {
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#checked = 0;
  }

  #check(): void {
    if (this.#bytes !== this.#checked) {
      this.#checked = this.#bytes;
      return;
    }
    this.ended();
    this.#onStalled(messageUnfinished(this.#bytes));
  }
}
