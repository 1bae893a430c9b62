import type { Server } from "node:http";
import { createServer, type Server as Listener } from "node:net";
import { FastConnection, type FastConnectionOptions } from "./fast-connection.ts";

/** Of one port. */
export interface FastPathOptions
  extends Omit<FastConnectionOptions, "handOver" | "onClosed" | "closing" | "fields" | "reads"> {
  /** For how long clients are told that an idle connection stays open. */
  readonly keptMs: number;
}

const tendEveryMs = 1000;
/** What is read at a time. */
const readBytes = 64 * 1024;

/**
 * Reads the plainest requests of the gateway's port, which are nearly all of those that MCP clients send, without Node's
 * HTTP server, whose share of a call's cost was the largest (figures in `docs/benchmarks.md`). What it does not know for
 * certain it does not touch.
 */
export class FastPath {
  /** What listens for the HTTP server. */
  readonly listener: Listener;
  readonly #options: FastConnectionOptions;
  readonly #connections = new Set<FastConnection>();
  #closing = false;
  #date = "";
  #dateUntil = 0;
  #tending: NodeJS.Timeout | undefined;

  /** `http` serves the connections that are handed over. */
  constructor(http: Server, { keptMs, ...options }: FastPathOptions) {
    const seconds = Math.floor(keptMs / 1000);
    const keptLines = `Connection: keep-alive\r\n${seconds > 0 ? `Keep-Alive: timeout=${seconds}\r\n` : ""}`;
    this.#options = {
      ...options,
      fields: { dateLine: () => this.#dateLine(), keptLines, keptMs },
      reads: Buffer.allocUnsafeSlow(readBytes),
      closing: () => this.#closing,
      handOver: (socket) => void http.emit("connection", socket),
      onClosed: (closed) => this.#closed(closed),
    };
    this.listener = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (socket) => {
      this.#connections.add(new FastConnection(socket, this.#options));
      this.#tending ??= setInterval(() => this.#tend(), tendEveryMs).unref();
    });
    // The HTTP server keeps account of its connections, and their deadlines, from the moment that it listens.
    this.listener.on("listening", () => http.emit("listening"));
    this.listener.on("close", () => http.close(() => {}));
  }

  /** Ends the connections on which nothing is under way, and the others with their answer; or all of them now. */
  close(all = false): void {
    this.#closing = true;
    for (const connection of this.#connections) if (all || connection.idle) connection.end();
  }

  #tend(): void {
    for (const connection of this.#connections) connection.tend();
  }

  #closed(connection: FastConnection): void {
    this.#connections.delete(connection);
    if (this.#connections.size > 0) return;
    clearInterval(this.#tending);
    this.#tending = undefined;
  }

  /** RFC 9110, section 6.6.1; made anew each second. */
  #dateLine(): string {
    const now = Date.now();
    if (now >= this.#dateUntil) {
      this.#dateUntil = now - (now % 1000) + 1000;
      this.#date = `Date: ${new Date(now).toUTCString()}\r\n`;
    }
    return this.#date;
  }
}
