import { isUtf8 } from "node:buffer";
import type { Socket } from "node:net";
import { type ByteBudget, smallBytes } from "../byte-budget.ts";
import { IncomingRequest } from "../incoming-request.ts";
import { hasDoubleSpace } from "../request-line.ts";
import { type CommonFields, FastResponse, type ResponseSink } from "./fast-response.ts";
import { beginning, type RequestHead, requestHead } from "./request-head.ts";
import { sharedReads } from "./shared-reads.ts";

/** What the connections of one port have in common. */
export interface FastConnectionOptions {
  readonly serve: (request: IncomingRequest, response: FastResponse) => void;
  /** Node's own server takes it from here; what has been read is in the socket again. */
  readonly handOver: (socket: Socket) => void;
  readonly onClosed: (connection: FastConnection) => void;
  /** Connections end with the answer that is under way. */
  readonly closing: () => boolean;
  readonly fields: CommonFields;
  /** Where all reads land. */
  readonly reads: Buffer;
  readonly maxHeaderBytes: number;
  readonly maxHeaders: number;
  /** Longest time without a request: the first one, and another one. */
  readonly firstMs: number;
  readonly idleMs: number;
  readonly now: () => number;
  /** Counts the bytes that wait on all connections. */
  readonly budget: ByteBudget | undefined;
}

/** What is kept of a request that has not come whole; a longer one is Node's. */
const maxHeldBytes = 64 * 1024;
/** What Node's server says to bytes that are no request. */
const badRequest = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n";
/** What stands in a text for bytes that are no UTF-8, or for itself. */
const replacement = "\ufffd";

/**
 * One connection on the fast path: a request that has come whole, and is of the plainest kind, is answered at once.
 * Everything else is handed over to Node's server, for good and with all of its bytes: a request in parts, or of another
 * kind, and what is wrong with it, is for Node to judge.
 */
export class FastConnection implements ResponseSink {
  readonly socket: Socket;
  readonly #options: FastConnectionOptions;
  #current: FastResponse | undefined;
  /** Bytes of the next request. */
  #held: Buffer | undefined;
  /** Most clients send the same head again and again: its bytes with the blank line, and what they say. */
  #lastBytes: Buffer | undefined;
  #lastHead: RequestHead | undefined;
  #freeSince: number;
  #served = false;
  #over = false;

  constructor(accepted: Socket, options: FastConnectionOptions) {
    this.#options = options;
    this.#freeSince = options.now();
    this.socket = sharedReads(accepted, options.reads, (bytes) => this.#received(bytes));
    this.socket.on("end", this.#onEnd).on("error", this.#onError).on("close", this.#onClose);
  }

  get fields(): CommonFields {
    return this.#options.fields;
  }

  get budget(): ByteBudget | undefined {
    return this.#options.budget;
  }

  /** Nothing is under way. */
  get idle(): boolean {
    return this.#current === undefined && this.#held === undefined;
  }

  /** Looks after time: a request in parts becomes Node's affair, a connection that is not used ends. */
  tend(): void {
    if (this.#current !== undefined) return;
    const { firstMs, idleMs, now } = this.#options;
    if (this.#held !== undefined) this.#handOver(this.#held);
    else if (now() - this.#freeSince > (this.#served ? idleMs : firstMs)) this.end();
  }

  /** Ends it, whatever is under way. */
  end(): void {
    this.socket.destroy();
  }

  ended(response: FastResponse): void {
    if (this.#over) return;
    const { socket } = this;
    const { now, closing } = this.#options;
    this.#current = undefined;
    this.#freeSince = now();
    if (response.last || closing()) {
      socket.destroySoon();
      return;
    }
    // Who does not read its answers gets no further ones.
    if (socket.writableNeedDrain) {
      socket.pause();
      socket.once("drain", () => this.#next());
    } else if (this.#held !== undefined) setImmediate(() => this.#next());
  }

  /** `chunk` is a view of memory that the next read of any connection overwrites. */
  #received(chunk: Buffer): boolean {
    if (this.#over) return this.socket.push(Buffer.from(chunk));
    const bytes = this.#held === undefined ? chunk : Buffer.concat([this.#held, chunk]);
    this.#held = undefined;
    if (this.#current === undefined) this.#take(bytes);
    else this.#hold(bytes);
    return true;
  }

  /** A client that sends no more wants no more, as Node's server sees it; half a request is a wrong one. */
  readonly #onEnd = (): void => {
    if (this.#held === undefined || this.#current !== undefined) this.socket.end();
    else this.socket.end(badRequest);
    this.#current?.abandoned();
  };

  readonly #onError = (): void => {
    this.socket.destroy();
  };

  readonly #onClose = (): void => {
    this.#over = true;
    this.#current?.abandoned();
    this.#options.onClosed(this);
  };

  #take(bytes: Buffer): void {
    const known = this.#lastBytes;
    const same = known !== undefined && beginsWith(bytes, known);
    const start = same ? known.length : bytes.indexOf("\r\n\r\n") + 4;
    if (start < 4) {
      const begun = bytes.toString("latin1", 0, beginning.length);
      // A request line is looked at as a whole.
      if (begun === beginning.slice(0, begun.length) || !bytes.includes(10)) this.#hold(bytes);
      else this.#handOver(bytes);
      return;
    }
    const head = same ? this.#lastHead : this.#read(bytes, start);
    if (head === undefined) {
      this.#handOver(bytes);
      return;
    }
    const end = start + head.length;
    if (end > bytes.length) {
      this.#hold(bytes);
      return;
    }
    const text = bytes.toString("utf8", start, end);
    if (text.includes(replacement) && !isUtf8(bytes.subarray(start, end))) {
      this.#handOver(bytes);
      return;
    }
    if (end < bytes.length) this.#held = Buffer.from(bytes.subarray(end));
    const request = IncomingRequest.whole(this.socket, head, text);
    const response = new FastResponse(request, this);
    if (text.length > smallBytes && this.budget !== undefined) request.countFor(this.budget, response);
    this.#current = response;
    this.#served = true;
    this.#options.serve(request, response);
  }

  /** Reads a head of so many bytes, and remembers it. */
  #read(bytes: Buffer, length: number): RequestHead | undefined {
    const { maxHeaderBytes, maxHeaders } = this.#options;
    if (length > maxHeaderBytes) return undefined;
    this.#lastHead = requestHead(bytes.toString("latin1", 0, length - 2), maxHeaders);
    this.#lastBytes = Buffer.from(bytes.subarray(0, length));
    return this.#lastHead;
  }

  #hold(bytes: Buffer): void {
    if (bytes.length > maxHeldBytes && this.#current === undefined) {
      this.#handOver(bytes);
      return;
    }
    this.#held = Buffer.from(bytes);
    if (bytes.length > maxHeldBytes) this.socket.pause();
  }

  #next(): void {
    const held = this.#held;
    this.#held = undefined;
    if (this.#over) return;
    this.socket.resume();
    if (held === undefined) return;
    if (this.#current === undefined) this.#take(held);
    else this.#hold(held);
  }

  #handOver(bytes: Buffer): void {
    const { socket } = this;
    const { handOver, onClosed } = this.#options;
    this.#over = true;
    this.#held = undefined;
    if (hasDoubleSpace(bytes)) {
      socket.end(badRequest);
      socket.destroySoon();
      return;
    }
    socket.off("end", this.#onEnd).off("error", this.#onError).off("close", this.#onClose);
    onClosed(this);
    socket.pause();
    socket.push(Buffer.from(bytes));
    handOver(socket);
    // Once the HTTP server listens to it.
    process.nextTick(() => socket.resume());
  }
}

function beginsWith(bytes: Buffer, first: Buffer): boolean {
  const { length } = first;
  return bytes.length >= length && bytes.compare(first, 0, length, 0, length) === 0;
}
