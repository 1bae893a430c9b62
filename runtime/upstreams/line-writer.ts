import type { Writable } from "node:stream";

/** Gathers the messages of one turn of the event loop into one write: system calls cost more than the JSON. */
export class LineWriter {
  readonly #stream: Writable;
  #corked = false;

  constructor(stream: Writable, onBroken: (error: Error) => void) {
    this.#stream = stream;
    stream.on("error", onBroken);
  }

  send(message: string, onSent?: () => void): void {
    if (!this.#corked) {
      this.#corked = true;
      this.#stream.cork();
      setImmediate(() => {
        this.#corked = false;
        this.#stream.uncork();
      });
    }
    this.#stream.write(`${message}\n`, (error) => {
      if (error === null || error === undefined) onSent?.();
    });
  }
}
