import { connect, isIP, Socket } from "node:net";
import { connect as connectTls, type ConnectionOptions as TlsOptions } from "node:tls";
import { bareHost } from "../../host-name.ts";
import { proxyFor } from "../../outgoing/proxy-rules.ts";
import { openTunnel } from "../../outgoing/tunnel.ts";
import { Turns } from "../read-in-turns.ts";
import { type ResponseHandler, type ResponseHeaders, ResponseReader } from "./response-reader.ts";

/** Who waits for the answer to one request. */
export interface Requester extends ResponseHandler {
  /** For whom it asks; undefined for the gateway itself. */
  readonly caller?: string | undefined;
  /** Its connection must not have served another caller: a late question to that one would be put to its own client. */
  readonly choosy?: boolean;
  /** The request goes out now, on this connection. */
  onSent(connection: HttpConnection): void;
  /** No answer will come, or no more of it. Without `onSent` before, the server has not seen the request. */
  onError(error: Error): void;
}

export interface ConnectionOptions {
  readonly url: URL;
  readonly connectMs: number;
  /** Longest time without work. Defaults to what the server says, else 4000. */
  readonly idleMs?: number | undefined;
  /** Settings of a TLS connection besides name and protocol: authorities, a client certificate. */
  readonly tls?: (() => TlsOptions) | undefined;
  /** It can take a request: for the first time, and again after each one. */
  readonly onFree: (connection: HttpConnection) => void;
  /** It is over, with the reason. */
  readonly onClosed: (connection: HttpConnection, error: Error) => void;
}

/** Reads of all plain connections land here; each is dealt with before the next one begins. */
const readBytes = 64 * 1024;
/** How long a connection is kept without work when the server does not say; Node.js servers close after five seconds. */
const idleMs = 4000;
/** Before the server's own time is up. */
const idleMarginMs = 1000;

/**
 * One connection to a server of HTTP/1.1, one request at a time. Written by hand because the gateway's cost is here: a
 * request is one string and one write, a small response one read, one slice and no stream object.
 */
export class HttpConnection implements ResponseHandler {
  /** When it could take its first request, by `performance.now()`: a handshake is no part of its life. */
  openedAt = 0;
  /** Until when it may lie idle, by `performance.now()`. */
  idleUntil = 0;
  readonly #options: ConnectionOptions;
  /** First the tunnel through a proxy, where there is one. */
  #socket: Socket;
  #turns: Turns;
  readonly #reader = new ResponseReader();
  #requester: Requester | undefined;
  #idleMs: number;
  #open = false;
  #closed = false;
  #kept = true;
  /** The last caller that it served. */
  #caller: string | undefined;
  #foreign = false;

  constructor(options: ConnectionOptions, shared: Buffer) {
    this.#options = options;
    this.#idleMs = options.idleMs ?? idleMs;
    try {
      const proxy = proxyFor(options.url);
      this.#socket = proxy === undefined ? this.#use(this.#connect(shared)) : this.#tunnel(proxy);
    } catch (error) {
      // Who has asked for the connection hears it as any other failure: later.
      this.#socket = new Socket();
      process.nextTick(() => this.#fail(error as Error));
    }
    this.#turns = new Turns(this.#socket);
  }

  /** Begins with a connection to the proxy, which becomes one to the server. */
  #tunnel(proxy: URL): Socket {
    const { url } = this.#options;
    const through = openTunnel(proxy, { host: bareHost(url.hostname), port: portOf(url) }, (error, tunnel) => {
      tunnel.setTimeout(0);
      if (error !== undefined) this.#fail(error);
      else if (url.protocol === "https:") {
        this.#socket = this.#use(this.#secure(tunnel.on("error", () => {})));
        this.#turns = new Turns(this.#socket);
      } else {
        this.#use(tunnel.on("data", (chunk: Buffer) => this.#read(chunk)));
        this.#opened();
      }
    });
    this.#bound(through);
    return through;
  }

  /** From here on the connection is what happens on this socket. */
  #use(socket: Socket): Socket {
    socket.setNoDelay(true);
    this.#bound(socket);
    socket.once(this.#options.url.protocol === "https:" ? "secureConnect" : "connect", () => this.#opened());
    socket.once("error", (error) => this.#fail(error));
    socket.once("end", () => this.#end());
    socket.once("close", () => this.#fail(lost()));
    return socket;
  }

  #bound(socket: Socket): void {
    socket.setTimeout(this.#options.connectMs, () => {
      if (!this.#open) socket.destroy(timedOut(this.#options));
    });
  }

  #opened(): void {
    this.#open = true;
    this.openedAt = performance.now();
    this.#socket.setTimeout(0);
    this.#free();
  }

  /** It has been open: when it is gone, that is no failure to connect. */
  get opened(): boolean {
    return this.#open;
  }

  /** It has served another caller before the request that is on it: what comes could be a late word to that one. */
  get foreign(): boolean {
    return this.#foreign;
  }

  /** Has it served another caller last? */
  foreignTo(caller: string | undefined): boolean {
    return this.#caller !== undefined && this.#caller !== caller;
  }

  /** It takes no other request: its server has sent what belongs to none. */
  closeAfter(): void {
    this.#kept = false;
  }

  /** Sends one request; `head` ends with a header line. */
  send(head: string, body: string | undefined, requester: Requester): void {
    this.#requester = requester;
    this.#foreign = this.foreignTo(requester.caller);
    if (requester.caller !== undefined) this.#caller = requester.caller;
    this.#reader.expect(this);
    requester.onSent(this);
    if (body === undefined) this.#socket.write(`${head}\r\n`, "latin1");
    else {
      const length = Buffer.byteLength(body);
      const text = `${head}content-length: ${length}\r\n\r\n${body}`;
      // Plain ASCII, the usual case, is written without being encoded.
      this.#socket.write(text, length === body.length ? "latin1" : "utf8");
    }
  }

  onResponse(status: number, headers: ResponseHeaders, length: number | undefined): void {
    const kept = headers["keep-alive"];
    if (kept !== undefined) this.#idleMs = Math.min(idleMsOf(kept), this.#options.idleMs ?? Number.POSITIVE_INFINITY);
    this.#requester?.onResponse(status, headers, length);
  }

  onData(chunk: Buffer): void {
    this.#requester?.onData(chunk);
  }

  onEnd(): void {
    const requester = this.#requester;
    this.#requester = undefined;
    // It may find that the answer is another request's, and close the connection, before anybody else can have it.
    requester?.onEnd();
    if (this.#closed) return;
    if (this.#kept && this.#reader.keepAlive && this.#idleMs > 0) this.#free();
    else this.close();
  }

  /** Stops reading until `resume`: the one who is to take the bytes is slow. */
  pause(): void {
    this.#turns.pause();
  }

  resume(): void {
    this.#turns.resume();
  }

  /** Ends the connection; a request on it fails. */
  close(error: Error = lost()): void {
    this.#fail(error);
    this.#socket.destroy();
  }

  #connect(shared: Buffer): Socket {
    const { url } = this.#options;
    if (url.protocol === "https:") return this.#secure();
    const callback = (length: number) => {
      this.#read(shared.subarray(0, length));
      return true;
    };
    return connect({ host: bareHost(url.hostname), port: portOf(url), onread: { buffer: shared, callback } });
  }

  /** TLS, on a connection of its own or through a tunnel. */
  #secure(tunnel?: Socket): Socket {
    const { url, tls } = this.#options;
    const host = bareHost(url.hostname);
    const socket = connectTls({
      host,
      port: portOf(url),
      servername: isIP(host) === 0 ? host : "",
      ALPNProtocols: ["http/1.1"],
      ...(tunnel === undefined ? {} : { socket: tunnel }),
      ...tls?.(),
    });
    return socket.on("data", (chunk) => this.#read(chunk));
  }

  #read(bytes: Buffer): void {
    const began = this.#turns.begin(bytes);
    try {
      this.#reader.push(bytes);
    } catch (error) {
      this.close(error as Error);
    }
    this.#turns.end(began);
  }

  #free(): void {
    this.idleUntil = performance.now() + this.#idleMs;
    this.#options.onFree(this);
  }

  #end(): void {
    if (!this.#reader.ended()) this.#fail(lost());
    this.#socket.destroy();
  }

  #fail(error: Error): void {
    if (this.#closed) return;
    this.#closed = true;
    const requester = this.#requester;
    this.#requester = undefined;
    this.#options.onClosed(this, error);
    requester?.onError(error);
  }
}

const portOf = ({ port, protocol }: URL): number => Number(port || (protocol === "https:" ? 443 : 80));

/** A buffer for the reads of all connections of one pool. */
export const sharedReads = (): Buffer => Buffer.allocUnsafeSlow(readBytes);

/** `timeout=5, max=1000`: how long the server keeps an idle connection, less a margin. */
function idleMsOf(text: string): number {
  const seconds = /timeout=(\d+)/.exec(text)?.[1];
  return seconds === undefined ? idleMs : Math.min(Number(seconds) * 1000 - idleMarginMs, 10 * 60_000);
}

function lost(): Error {
  return Object.assign(new Error("the server closed the connection"), { code: "ECONNRESET" });
}

function timedOut({ connectMs }: ConnectionOptions): Error {
  return Object.assign(new Error(`not connected within ${connectMs} ms`), { code: "ETIMEDOUT" });
}
