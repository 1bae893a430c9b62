import { SlotTable } from "../protocol/slot-table.ts";
import { AnswerCompression } from "./answer-compression.ts";
import type { PostReply } from "./post-reply.ts";

/** How often silent replies get a sign of life: the first one after twice that time, well before a balancer's 60 seconds. */
const pulseMs = 5_000;

/**
 * Replies that clients of event streams wait for. One pulse for all of them keeps balancers and proxies from cutting a
 * long call that says nothing, so that a call needs no timer of its own.
 */
export class OpenReplies {
  /** Of large answers. */
  readonly compression: AnswerCompression;
  readonly #replies = new SlotTable<PostReply>();
  readonly #pulse = setInterval(() => this.#keepAlive(), pulseMs).unref();

  /** `compressFromBytes`: as in the configuration. */
  constructor(compressFromBytes: number) {
    this.compression = new AnswerCompression(compressFromBytes);
  }

  /** A client begins to wait; the number takes the reply out again. */
  add(reply: PostReply): number {
    return this.#replies.add(reply);
  }

  /** The reply has been sent. */
  remove(slot: number): void {
    this.#replies.take(slot);
  }

  /** Replies that are open from now on are on their own. */
  close(): void {
    clearInterval(this.#pulse);
  }

  /** A reply that has been silent for one to two pulses becomes an event stream with a comment. */
  #keepAlive(): void {
    if (this.#replies.size === 0) return;
    for (const reply of this.#replies) reply.keepAlive();
  }
}
