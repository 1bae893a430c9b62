import { IncomingMessage, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { Readable } from "node:stream";
import type { Principal } from "../security/index.ts";
import { type ByteBudget, Holding, smallBytes } from "./byte-budget.ts";
import type { RequestHead } from "./fast-path/index.ts";

/** Who waits for a body, with what has come of it. */
interface Collector {
  readonly maxBytes: number;
  readonly done: (body: Buffer) => void;
  readonly failed: (error: Error) => void;
  readonly tooLarge: () => Error;
  first: Buffer | undefined;
  chunks: Buffer[] | undefined;
  size: number;
}

const nothing = Buffer.alloc(0);

/**
 * A request of the gateway's port (`IncomingMessage` option of http.createServer) whose body can be had as a whole. It is
 * taken as the parser gives it (Readable.push), without the events and ticks of a stream that somebody listens to, which cost
 * more than the reading.
 */
export class IncomingRequest extends IncomingMessage {
  /** Who makes it, once that is known and another process may want to know. A field, since a WeakMap's entry costs each scavenge. */
  principal: Principal | undefined;
  #collector: Collector | undefined;
  #collected = false;
  /** The body, of a request that came whole. */
  #text: string | undefined;
  #budget: ByteBudget | undefined;
  #response: ServerResponse | undefined;
  /** Bytes of the body that have come, where they are counted. */
  #came = 0;
  #holding: Holding | undefined;

  /** A POST that has come with all of its body, which was read by no parser of Node's: there is nothing to stream. */
  static whole(socket: Socket, { url, headers }: RequestHead, text: string): IncomingRequest {
    const request = new IncomingRequest(socket);
    request.method = "POST";
    request.url = url;
    request.headers = headers;
    request.httpVersion = "1.1";
    request.httpVersionMajor = 1;
    request.httpVersionMinor = 1;
    request.complete = true;
    request.#collected = true;
    request.#text = text;
    return request;
  }

  /** The body of a request that came whole; undefined when it is to be read. */
  get text(): string | undefined {
    return this.#text;
  }

  /** From now on a large body counts, until the request has been answered: it is kept for its call. */
  countFor(budget: ByteBudget, response: ServerResponse): void {
    this.#budget = budget;
    this.#response = response;
    if (this.#text !== undefined) this.#count(this.#text.length);
  }

  #count(length: number): void {
    const budget = this.#budget;
    this.#came += length;
    if (budget === undefined || this.#came <= smallBytes) return;
    if (this.#holding === undefined) {
      this.#holding = new Holding(budget, "messages", () => this.#refuse(budget.refusal));
      this.#response?.once("close", () => this.#uncount());
      if (this.complete) this.#cameWhole(this.#holding);
    }
    this.#holding.set(this.#came);
  }

  /** Nothing of the body is kept any more. */
  #uncount(): void {
    this.#budget = undefined;
    this.#holding?.set(0);
  }

  /** Its call cannot be ended for its bytes. */
  #cameWhole(holding: Holding): void {
    holding.of = "calls";
    holding.end = undefined;
  }

  /** No more of the body is kept; who reads it hears why, or the connection is closed. */
  #refuse(error: Error): void {
    const collector = this.#collector;
    this.#uncount();
    if (collector === undefined) {
      this.destroy(error);
      return;
    }
    drop(collector);
    collector.size = Number.POSITIVE_INFINITY;
    collector.failed(error);
  }

  // Node's server wants to know before the next request whether this one has been read to its end.
  static {
    const { get } = Object.getOwnPropertyDescriptor(Readable.prototype, "readableEnded") as { get(): boolean };
    Object.defineProperty(IncomingRequest.prototype, "readableEnded", {
      get(this: IncomingRequest) {
        return this.#collected || get.call(this);
      },
    });
  }

  /**
   * Calls `done` with the body. Calls `failed` with `tooLarge` past `maxBytes`, without keeping the rest, and when the client
   * goes away before its end. False, and nothing is called, when parts of the body have come already.
   */
  collect(
    maxBytes: number,
    done: (body: Buffer) => void,
    failed: (error: Error) => void,
    tooLarge: () => Error,
  ): boolean {
    if (this.complete || this.readableLength > 0 || this.destroyed) return false;
    // Says that the body is being read.
    this._read(0);
    this.#collector = { maxBytes, done, failed, tooLarge, first: undefined, chunks: undefined, size: 0 };
    return true;
  }

  override push(chunk: Buffer | null, encoding?: BufferEncoding): boolean {
    if (chunk !== null) this.#count(chunk.length);
    else if (this.#holding !== undefined) this.#cameWhole(this.#holding);
    const collector = this.#collector;
    if (collector === undefined) return super.push(chunk, encoding);
    if (chunk !== null) {
      keep(collector, chunk);
      if (collector.first === undefined) this.#uncount();
    } else {
      this.#collected = true;
      this.#collector = undefined;
      const { first = nothing, chunks, size, maxBytes } = collector;
      if (size <= maxBytes) collector.done(chunks === undefined ? first : Buffer.concat(chunks));
    }
    return true;
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#collector?.failed(error ?? new Error("aborted"));
    this.#collector = undefined;
    super._destroy(error, callback);
  }
}

function keep(collector: Collector, chunk: Buffer): void {
  const before = collector.size;
  collector.size += chunk.length;
  if (collector.size > collector.maxBytes) {
    drop(collector);
    if (before <= collector.maxBytes) collector.failed(collector.tooLarge());
  } else if (collector.first === undefined) collector.first = chunk;
  else {
    collector.chunks ??= [collector.first];
    collector.chunks.push(chunk);
  }
}

function drop(collector: Collector): void {
  collector.first = undefined;
  collector.chunks = undefined;
}
