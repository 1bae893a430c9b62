import { isUtf8 } from "node:buffer";
import { ByteStore } from "./byte-store.ts";
import { UnfinishedMessage } from "./unfinished-message.ts";

/** Largest message that a server may send on one line, in bytes; a screenshot in base64 takes a few million. */
export const maxLineBytes = 64 * 1024 * 1024;

/**
 * Cuts a byte stream into lines (stdio framing, basic/transports): complete UTF-8 text without the newline, empty lines
 * left out. An unfinished line is gathered in one buffer, so it costs linear time and memory however small its pieces are.
 */
export class LineReader {
  readonly #onLine: (line: string) => void;
  readonly #onBroken: (problem: string) => void;
  readonly #onInvalid: (line: Buffer) => void;
  readonly #unfinished = new ByteStore();
  readonly #growth: UnfinishedMessage;
  readonly #maxBytes: number;

  /**
   * `onBroken` hears of a line that exceeds `maxBytes` (by default what a server may send), or that has stopped in the
   * middle; what has come of it is thrown away. `onInvalid` hears of each line that is no UTF-8; by default it is dropped.
   */
  constructor(
    onLine: (line: string) => void,
    onBroken: (problem: string) => void,
    onInvalid: (line: Buffer) => void = () => {},
    maxBytes = maxLineBytes,
  ) {
    this.#maxBytes = maxBytes;
    this.#onLine = onLine;
    this.#onBroken = onBroken;
    this.#onInvalid = onInvalid;
    this.#growth = new UnfinishedMessage((problem) => this.#broken(problem));
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
    if (this.#unfinished.length > this.#maxBytes) this.#broken(lineTooLong);
    else this.#growth.grown(this.#unfinished.length);
  }

  /** Nothing more comes: what has no end is forgotten. */
  close(): void {
    this.#unfinished.clear();
    this.#growth.ended();
  }

  #broken(problem: string): void {
    this.close();
    this.#onBroken(problem);
  }

  #emit(last: Buffer): void {
    let line = last;
    if (this.#unfinished.length > 0) {
      this.#unfinished.add(last);
      line = this.#unfinished.take();
      this.#growth.ended();
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
const lineTooLong = `a line of the server exceeds ${maxLineBytes} bytes`;
