import type { Flow } from "../protocol/exchange.ts";

/** Replies to a server's requests that it may leave untaken before it is read no further. */
export const maxPendingReplies = 32;

/** Back-pressure on a server that asks faster than it takes the replies: its streams are paused until it has caught up. */
export class PendingReplies {
  readonly #paused = new Set<Flow>();
  #count = 0;

  /** Replies that the server has not taken yet. */
  get count(): number {
    return this.#count;
  }

  /** A reply goes out to a request that came on this stream. */
  began(flow: Flow | undefined): void {
    this.#count += 1;
    if (this.#count < maxPendingReplies || flow === undefined || this.#paused.has(flow)) return;
    this.#paused.add(flow);
    flow.pause();
  }

  /** The server has taken one, or never will. */
  ended(): void {
    this.#count -= 1;
    if (this.#count >= maxPendingReplies / 2) return;
    for (const flow of this.#paused) flow.resume();
    this.#paused.clear();
  }
}
