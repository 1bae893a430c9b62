import { type OutgoingHttpHeaders, OutgoingMessage, ServerResponse, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { type ByteBudget, smallBytes } from "../byte-budget.ts";
import type { IncomingRequest } from "../incoming-request.ts";

/** What every response of a port says. */
export interface CommonFields {
  /** `Date`, and how long the connection stays open, each field with its line break. */
  readonly dateLine: () => string;
  readonly keptLines: string;
  /** What `keptLines` tell clients. */
  readonly keptMs: number;
}

/** The connection that responses go out on. */
export interface ResponseSink {
  readonly socket: Socket;
  readonly fields: CommonFields;
  readonly budget: ByteBudget | undefined;
  /** The response has been given to the socket. */
  ended(response: FastResponse): void;
}

/** What must not stand in a field's value (RFC 9110, section 5.5). */
const unsound = /[^\t\x20-\x7e\x80-\xff]/;
const withoutBody = new Set([204, 304]);

/**
 * The response of a request on the fast path. A head with a text, or nothing, behind it is one string and one write. What
 * goes out in any other way (event streams, bytes, headers that were set one by one) is left to Node's class.
 */
export class FastResponse extends ServerResponse<IncomingRequest> {
  readonly #sink: ResponseSink;
  #status = 0;
  #headers: OutgoingHttpHeaders | undefined;
  #expanded = false;

  // A head that was given and has not been sent yet counts: nobody may give another one.
  static {
    const { get } = Object.getOwnPropertyDescriptor(OutgoingMessage.prototype, "headersSent") as { get(): boolean };
    Object.defineProperty(FastResponse.prototype, "headersSent", {
      get(this: FastResponse) {
        return this.#status !== 0 || get.call(this);
      },
    });
  }

  constructor(request: IncomingRequest, sink: ResponseSink) {
    super(request);
    this.#sink = sink;
  }

  /** The connection is over after this response. */
  get last(): boolean {
    return !this.shouldKeepAlive || this.#headers?.connection === "close";
  }

  override writeHead(status: number, ...rest: unknown[]): this {
    const [headers] = rest;
    const usual = rest.length < 2 && typeof headers !== "string" && !Array.isArray(headers);
    if (usual && !this.#expanded && this.#status === 0 && this.getHeaderNames().length === 0 && areSound(headers)) {
      this.#status = status;
      this.#headers = headers as OutgoingHttpHeaders | undefined;
      return this;
    }
    this.#expand();
    this.#headers ??= headers as OutgoingHttpHeaders | undefined;
    return super.writeHead(status, ...(rest as [OutgoingHttpHeaders]));
  }

  override flushHeaders(): void {
    this.#expand();
    super.flushHeaders();
  }

  override write(...args: unknown[]): boolean {
    this.#expand();
    const more = super.write(...(args as [string]));
    this.#sink.budget?.unread(this);
    return more;
  }

  override end(...args: unknown[]): this {
    const [text, encoding = "utf8"] = args;
    const usual = (text === undefined || typeof text === "string") && typeof encoding === "string" && args.length < 3;
    if (!usual || this.#expanded || this.#status === 0 || this.finished) {
      this.#expand();
      super.end(...(args as [string]));
      this.#sink.budget?.unread(this);
      return this;
    }
    this.finished = true;
    if (this.#sink.socket.writable) this.#send(text ?? "", encoding as BufferEncoding);
    this.#sink.ended(this);
    if (this.listenerCount("finish") + this.listenerCount("close") > 0) {
      process.nextTick(() => {
        this.emit("finish");
        this.#close();
      });
    }
    return this;
  }

  /** The client has gone before the response had. */
  abandoned(): void {
    if (!this.#expanded && !this.destroyed) this.#close();
  }

  #close(): void {
    this.destroyed = true;
    this.emit("close");
  }

  #send(text: string, encoding: BufferEncoding): void {
    const { socket, fields } = this.#sink;
    const status = this.#status;
    const headers = this.#headers;
    let head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "unknown"}\r\n`;
    let counted = withoutBody.has(status);
    for (const name in headers) {
      if (name === "content-length") counted = true;
      head += `${name}: ${headers[name]}\r\n`;
    }
    if (!counted) head += `content-length: ${Buffer.byteLength(text, encoding)}\r\n`;
    head += fields.dateLine();
    if (!this.last) head += fields.keptLines;
    else if (headers?.connection === undefined) head += "Connection: close\r\n";
    socket.write(`${head}\r\n${text}`, encoding);
    if (text.length > smallBytes) this.#sink.budget?.unread(socket);
  }

  /** From here on it is what Node makes of it. */
  #expand(): void {
    if (this.#expanded) return;
    this.#expanded = true;
    const { socket, fields } = this.#sink;
    // As Node's server does it, so that the fields are the same.
    Object.assign(this, { _keepAliveTimeout: fields.keptMs });
    this.assignSocket(socket);
    const drained = () => this.emit("drain");
    socket.on("drain", drained);
    this.once("finish", () => {
      socket.off("drain", drained);
      this.detachSocket(socket);
      this.#sink.ended(this);
      process.nextTick(() => this.#close());
    });
    if (this.#status !== 0) super.writeHead(this.#status, this.#headers);
  }
}

/** Can the fields be written as they are? Node says of the others what is wrong. */
function areSound(headers: unknown): boolean {
  for (const name in headers as OutgoingHttpHeaders | undefined) {
    const value = (headers as OutgoingHttpHeaders)[name];
    if (typeof value !== "number" && (typeof value !== "string" || unsound.test(value))) return false;
  }
  return true;
}
