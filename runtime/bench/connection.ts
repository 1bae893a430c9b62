import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { bareHost } from "../host-name.ts";

/** An HTTP response as the load generator needs it: bytes as latin1, for the price of a copy. */
export interface RawResponse {
  readonly status: number;
  /** Status line and headers, as they were sent. */
  readonly head: string;
  readonly body: string;
}

const headEnd = "\r\n\r\n";

/**
 * One keep-alive HTTP/1.1 connection (RFC 9112) with one request at a time, over a raw socket: a load generator must cost less than what
 * it measures. It reconnects for the next request when the server has closed.
 */
export class Connection {
  readonly #url: URL;
  readonly #timeoutMs: number;
  #socket: Socket | undefined;
  #waiting: PromiseWithResolvers<RawResponse> | undefined;
  #buffered = "";
  /** Offset of the body in what is buffered; -1 as long as the head is not complete. */
  #bodyAt = -1;
  #head = "";
  #closing = false;
  /** Where the response ends in what is buffered; -1 chunked, -2 at the end of the connection. */
  #end = 0;
  #scanned = 0;

  constructor(url: URL, timeoutMs: number) {
    this.#url = url;
    this.#timeoutMs = timeoutMs;
  }

  /** Sends a whole request; rejects when the connection fails, ends early or says nothing for the time given. */
  async request(bytes: string): Promise<RawResponse> {
    const socket = this.#socket ?? (await this.#open());
    this.#waiting = Promise.withResolvers<RawResponse>();
    socket.write(bytes, "latin1");
    return this.#waiting.promise;
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  #open(): Promise<Socket> {
    const { protocol, hostname, port } = this.#url;
    const host = bareHost(hostname);
    const opened = Promise.withResolvers<Socket>();
    const socket =
      protocol === "https:"
        ? connectTls({ host, port: Number(port || 443), servername: host })
        : connectTcp({ host, port: Number(port || 80) });
    socket.setNoDelay(true);
    socket.setTimeout(this.#timeoutMs, () => socket.destroy(new Error(`no answer within ${this.#timeoutMs} ms`)));
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
    socket.once(protocol === "https:" ? "secureConnect" : "connect", () => {
      this.#socket = socket;
      opened.resolve(socket);
    });
    socket.once("error", (error) => {
      opened.reject(error);
      this.#fail(socket, error);
    });
    socket.once("close", () => {
      if (this.#end === -2 && this.#bodyAt >= 0)
        this.#finish(this.#buffered.length, this.#buffered.slice(this.#bodyAt));
      this.#fail(socket, new Error("the connection was closed before the answer"));
    });
    return opened.promise;
  }

  #fail(socket: Socket, error: Error): void {
    if (this.#socket === socket) this.#socket = undefined;
    this.#reset("");
    this.#waiting?.reject(error);
    this.#waiting = undefined;
  }

  #read(chunk: Buffer): void {
    this.#buffered = this.#buffered === "" ? chunk.toString("latin1") : this.#buffered + chunk.toString("latin1");
    if (this.#bodyAt < 0 && !this.#readHead()) return;
    if (this.#end >= 0) {
      if (this.#buffered.length >= this.#end) this.#finish(this.#end, this.#buffered.slice(this.#bodyAt, this.#end));
    } else if (this.#end === -1) this.#readChunks();
  }

  #readHead(): boolean {
    const at = this.#buffered.indexOf(headEnd);
    if (at < 0) return false;
    this.#head = this.#buffered.slice(0, at);
    const lower = this.#head.toLowerCase();
    this.#closing = valueIn(lower, lower, "connection") === "close";
    this.#bodyAt = at + headEnd.length;
    this.#scanned = this.#bodyAt;
    const length = valueIn(lower, lower, "content-length");
    const status = statusOf(this.#head);
    if (length !== undefined) this.#end = this.#bodyAt + Number(length);
    else if (valueIn(lower, lower, "transfer-encoding") === "chunked") this.#end = -1;
    else this.#end = status === 202 || status === 204 || status === 304 ? this.#bodyAt : -2;
    return true;
  }

  /** Looks for the last chunk; only then the body is put together. */
  #readChunks(): void {
    for (;;) {
      const lineEnd = this.#buffered.indexOf("\r\n", this.#scanned);
      if (lineEnd < 0) return;
      const size = Number.parseInt(this.#buffered.slice(this.#scanned, lineEnd), 16);
      const next = lineEnd + 2 + size + 2;
      if (this.#buffered.length < next) return;
      this.#scanned = next;
      if (size === 0) break;
    }
    const parts: string[] = [];
    for (let at = this.#bodyAt; ; ) {
      const lineEnd = this.#buffered.indexOf("\r\n", at);
      const size = Number.parseInt(this.#buffered.slice(at, lineEnd), 16);
      if (size === 0) break;
      parts.push(this.#buffered.slice(lineEnd + 2, lineEnd + 2 + size));
      at = lineEnd + 2 + size + 2;
    }
    this.#finish(this.#scanned, parts.join(""));
  }

  #finish(end: number, body: string): void {
    const response = { status: statusOf(this.#head), head: this.#head, body };
    this.#reset(this.#buffered.slice(end));
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (this.#closing) this.close();
    waiting?.resolve(response);
  }

  #reset(left: string): void {
    this.#buffered = left;
    this.#bodyAt = -1;
    this.#end = 0;
  }
}

function statusOf(head: string): number {
  return Number(head.slice(9, 12));
}

/** A header's value; the name in lower case. */
export function headerOf(head: string, name: string): string | undefined {
  return valueIn(head, head.toLowerCase(), name);
}

function valueIn(head: string, lower: string, name: string): string | undefined {
  const at = lower.indexOf(`\r\n${name}:`);
  if (at < 0) return undefined;
  const from = at + name.length + 3;
  const to = head.indexOf("\r\n", from);
  return head.slice(from, to < 0 ? undefined : to).trim();
}
