import type { Readable } from "node:stream";

/** The word of who starts a daemon that it is to stay. */
export const keepWord = "keep";

/**
 * Who has started this process, at the other end of its standard input. A daemon outlives its starter once it has been told
 * to; one whose starter goes without a word is nobody's, and ends.
 */
export class Starter {
  readonly #input: Readable;
  readonly #onWord = () => this.close();
  readonly #onGone: () => void;

  constructor(input: Readable, onGone: () => void) {
    this.#input = input;
    const gone = () => {
      this.close();
      onGone();
    };
    input.once("data", this.#onWord).once("end", gone).once("error", gone);
    this.#onGone = gone;
  }

  /** It is heard no more. */
  close(): void {
    this.#input.off("data", this.#onWord).off("end", this.#onGone).off("error", this.#onGone);
    this.#input.destroy();
  }
}
