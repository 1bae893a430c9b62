import type { Desk, Message, Step } from "./desk.ts";
import { play } from "./play.ts";

/** A connection that carries whole messages both ways. */
export interface Channel {
  readonly closed: Promise<void>;
  /** Sends a message, or the end of one that was begun; waits while the peer does not read. */
  say(text: string | Buffer): Promise<void>;
  /** Sends a part of a message. */
  piece(text: string): Promise<void>;
  /** Stops reading for this time. */
  unread(ms: number): void;
  end(how: "half" | "reset" | "exit"): void;
}

/** Answers what comes in on a channel; many requests at once. */
export class ChannelPlayer {
  readonly #desk: Desk;
  readonly #channel: Channel;
  #open = true;

  constructor(desk: Desk, channel: Channel) {
    this.#desk = desk;
    this.#channel = channel;
    void channel.closed.then(() => {
      this.#open = false;
    });
  }

  receive(text: string): void {
    const message = JSON.parse(text) as Message;
    if (message.method === undefined) this.#desk.answered(message);
    else if (message.id !== undefined) void this.#play(message);
  }

  async #play(request: Message): Promise<void> {
    const { closed } = this.#channel;
    for await (const step of play({ desk: this.#desk, multiplexed: true, closed }, request)) {
      if (!this.#open) return;
      await this.#take(step);
    }
  }

  async #take(step: Step): Promise<void> {
    if ("say" in step) await this.#channel.say(step.say);
    else if ("piece" in step) await this.#channel.piece(step.piece);
    else if ("unread" in step) this.#channel.unread(step.unread);
    else if ("end" in step) this.#channel.end(step.end);
  }
}
