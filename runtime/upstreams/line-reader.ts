import { isUtf8 } from "node:buffer";

/** Largest message that a server may send on one line, in bytes; a screenshot in base64 takes a few million. */
export const maxLineBytes = 64 * 1024 * 1024;

/**
 * Cuts a byte stream into lines (stdio framing, basic/transports): complete UTF-8 text without the newline, empty lines
 * left out. Keeps the pieces of an unfinished line and joins them once, so a long line costs linear time.
 */
export class LineReader {
  readonly #onLine: (line: string) => void;
  readonly #onOverflow: () => void;
  readonly #onInvalid: () => void;
  readonly #maxBytes: number;
  #pieces: Buffer[] = [];
  #size = 0;

  /**
   * `onInvalid` hears of each line that is no UTF-8; by default such a line is dropped. `maxBytes` of one line, past which
   * `onOverflow` is called, defaults to what a server may send.
   */
  constructor(
    onLine: (line: string) => void,
    onOverflow: () => void,
    onInvalid: () => void = () => {},
    maxBytes = maxLineBytes,
  ) {
    this.#maxBytes = maxBytes;
    this.#onLine = onLine;
    this.#onOverflow = onOverflow;
    this.#onInvalid = onInvalid;
  }

  push(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      this.#emit(chunk.subarray(start, end));
      start = end + 1;
    }
    if (start === chunk.length) return;
    this.#pieces.push(start === 0 ? chunk : chunk.subarray(start));
    this.#size += chunk.length - start;
    if (this.#size > this.#maxBytes) {
      this.#pieces = [];
      this.#size = 0;
      this.#onOverflow();
    }
  }

  #emit(last: Buffer): void {
    let line = last;
    if (this.#pieces.length > 0) {
      line = Buffer.concat([...this.#pieces, last]);
      this.#pieces = [];
      this.#size = 0;
    }
    if (!isUtf8(line)) {
      this.#onInvalid();
      return;
    }
    const text = line.toString("utf8").trimEnd();
    if (text !== "") this.#onLine(text);
  }
}
