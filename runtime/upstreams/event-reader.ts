import { ByteStore } from "./byte-store.ts";
import { UnfinishedMessage } from "./unfinished-message.ts";

/** Largest event of a server's stream, in bytes; a screenshot in base64 takes a few million. */
export const maxEventBytes = 64 * 1024 * 1024;

/** One event (WHATWG HTML, 9.2.6). */
export interface ServerEvent {
  /** Undefined for `message`. */
  readonly event: string | undefined;
  readonly id: string | undefined;
  readonly data: string;
}

export interface EventReaderOptions {
  readonly onEvent: (event: ServerEvent) => void;
  /** How long the server wants to be left alone before its stream is opened again, in milliseconds. */
  readonly onRetry?: (ms: number) => void;
  /** An event exceeds `maxEventBytes` and is thrown away, or has stopped in the middle: the stream is best closed. */
  readonly onBroken: (problem: string) => void;
}

const lineFeed = 10;
const carriageReturn = 13;
const colon = 58;
const blank = 32;
const digits = /^\d{1,9}$/;

/**
 * Reads a stream of server-sent events from its bytes, in linear time and in no more memory than twice `maxEventBytes`,
 * however it is cut into pieces.
 */
export class EventReader {
  readonly #options: EventReaderOptions;
  readonly #growth: UnfinishedMessage;
  /** The beginning of a line that has not ended. */
  readonly #line = new ByteStore();
  /** The data of an event of several lines. */
  readonly #more = new ByteStore();
  #data: string | undefined;
  #event: string | undefined;
  #id: string | undefined;
  /** Bytes since the last event. */
  #size = 0;
  #first = true;
  #closed = false;
  #skipLineFeed = false;

  constructor(options: EventReaderOptions) {
    this.#options = options;
    this.#growth = new UnfinishedMessage(options.onBroken);
  }

  /** Takes what has arrived; nothing of it is kept but by copy. */
  push(chunk: Buffer): void {
    let at = 0;
    // Where the next carriage return is; most servers write none.
    let returnAt = chunk.indexOf(carriageReturn);
    while (at < chunk.length && !this.#closed) {
      if (this.#skipLineFeed && chunk[at] === lineFeed) at += 1;
      this.#skipLineFeed = false;
      const feedAt = chunk.indexOf(lineFeed, at);
      if (returnAt >= 0 && returnAt < at) returnAt = chunk.indexOf(carriageReturn, at);
      const end = returnAt >= 0 && (feedAt < 0 || returnAt < feedAt) ? returnAt : feedAt;
      const upTo = end < 0 ? chunk.length : end;
      this.#size += upTo - at + 1;
      if (this.#size > maxEventBytes) {
        this.#overflow();
        return;
      }
      if (end < 0) {
        if (upTo > at) this.#line.add(chunk.subarray(at));
        break;
      }
      this.#skipLineFeed = end === returnAt;
      this.#ended(chunk.subarray(at, end));
      at = end + 1;
    }
    if (!this.#closed) this.#growth.grown(this.#size);
  }

  /** Nothing more comes: what has no end is forgotten. */
  close(): void {
    this.#closed = true;
    this.#line.clear();
    this.#more.clear();
    this.#growth.ended();
  }

  #overflow(): void {
    this.close();
    this.#options.onBroken(`an event of the server exceeds ${maxEventBytes} bytes`);
  }

  #ended(rest: Buffer): void {
    if (this.#line.length === 0) this.#take(rest);
    else {
      this.#line.add(rest);
      this.#take(this.#line.take());
    }
  }

  #take(whole: Buffer): void {
    let line = whole;
    if (this.#first) {
      this.#first = false;
      if (line[0] === 0xef && line[1] === 0xbb && line[2] === 0xbf) line = line.subarray(3);
    }
    if (line.length === 0) {
      this.#dispatch();
      return;
    }
    const colonAt = line.indexOf(colon);
    if (colonAt === 0) return;
    const name = line.toString("latin1", 0, colonAt < 0 ? line.length : colonAt);
    const from = colonAt < 0 ? line.length : colonAt + (line[colonAt + 1] === blank ? 2 : 1);
    if (name === "data") this.#addData(line.subarray(from));
    else if (name === "event") this.#event = line.toString("utf8", from);
    else if (name === "id") {
      const id = line.toString("utf8", from);
      if (!id.includes("\0")) this.#id = id;
    } else if (name === "retry") {
      const text = line.toString("latin1", from);
      if (digits.test(text)) this.#options.onRetry?.(Number(text));
    }
  }

  #addData(value: Buffer): void {
    if (this.#data === undefined) {
      this.#data = value.toString();
      return;
    }
    if (this.#more.length === 0) this.#more.add(Buffer.from(this.#data));
    this.#more.add(newline);
    this.#more.add(value);
  }

  #dispatch(): void {
    this.#size = 0;
    this.#growth.ended();
    const data = this.#more.length === 0 ? this.#data : this.#more.take().toString();
    const [event, id] = [this.#event, this.#id];
    this.#data = undefined;
    this.#event = undefined;
    this.#id = undefined;
    if (data !== undefined) this.#options.onEvent({ event: event === "" ? undefined : event, id, data });
  }
}

const newline = Buffer.from("\n");
