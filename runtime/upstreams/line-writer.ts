import type { Writable } from "node:stream";
import { asLine } from "../protocol/line-text.ts";

/** Gathers the messages of one turn of the event loop into one write: system calls cost more than the JSON. */
export class LineWriter {
  readonly #stream: Writable;
  readonly #flushLater = () => this.flush();
  #lines = "";
  #onSent: (() => void)[] = [];

  constructor(stream: Writable, onBroken: (error: Error) => void) {
    this.#stream = stream;
    stream.on("error", onBroken);
  }

  /** Characters and bytes that the stream has not got rid of. */
  get waiting(): number {
    return this.#lines.length + this.#stream.writableLength;
  }

  send(message: string, onSent?: () => void): void {
    if (this.#lines === "") setImmediate(this.#flushLater);
    this.#lines += asLine(message);
    if (onSent !== undefined) this.#onSent.push(onSent);
  }

  /** Writes what is gathered now, which is a must before the stream is ended. */
  flush(): void {
    const lines = this.#lines;
    if (lines === "") return;
    const onSent = this.#onSent;
    this.#lines = "";
    this.#onSent = [];
    // Whoever has closed the stream meanwhile wants nothing more to be said.
    if (this.#stream.writableEnded) return;
    this.#stream.write(lines, (error) => {
      if (error === null || error === undefined) for (const tell of onSent) tell();
    });
  }
}
