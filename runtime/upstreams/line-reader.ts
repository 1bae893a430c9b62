import { isUtf8 } from "node:buffer";
import { ByteStore } from "./byte-store.ts";

/** Largest message that a server may send on one line, in bytes; a screenshot in base64 takes a few million. */
export const maxLineBytes = 64 * 1024 * 1024;

/**
 * Cuts a byte stream into lines (stdio framing, basic/transports): complete UTF-8 text without the newline, empty lines
 * left out. An unfinished line is gathered in one buffer, so it costs linear time and memory however small its pieces are.
 */
export class LineReader {
  readonly #onLine: (line: string) => void;
  readonly #onOverflow: () => void;
  readonly #onInvalid: (line: Buffer) => void;
  readonly #unfinished = new ByteStore();
  readonly #maxBytes: number;

  /**
   * `onInvalid` hears of each line that is no UTF-8; by default such a line is dropped. `maxBytes` of one line, past which
   * `onOverflow` is called, defaults to what a server may send.
   */
  constructor(
    onLine: (line: string) => void,
    onOverflow: () => void,
    onInvalid: (line: Buffer) => void = () => {},
    maxBytes = maxLineBytes,
  ) {
    this.#maxBytes = maxBytes;
    this.#onLine = onLine;
    this.#onOverflow = onOverflow;
    this.#onInvalid = onInvalid;
  }

  /** Bytes of the line that has not ended. */
  get unfinished(): number {
    return this.#unfinished.length;
  }

  push(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      this.#emit(chunk.subarray(start, end));
      start = end + 1;
    }
    if (start === chunk.length) return;
    this.#unfinished.add(start === 0 ? chunk : chunk.subarray(start));
    if (this.#unfinished.length > this.#maxBytes) {
      this.#unfinished.clear();
      this.#onOverflow();
    }
  }

  #emit(last: Buffer): void {
    let line = last;
    if (this.#unfinished.length > 0) {
      this.#unfinished.add(last);
      line = this.#unfinished.take();
    }
    if (!isUtf8(line)) {
      this.#onInvalid(line);
      return;
    }
    const text = line.toString("utf8").trimEnd();
    if (text !== "") this.#onLine(text);
  }
}

/** Why a connection is closed whose server sends a line without end. */
export const lineTooLong = `a line of the server exceeds ${maxLineBytes} bytes`;
