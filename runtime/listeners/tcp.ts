import { createServer, type Server, type Socket } from "node:net";
import { FleetError, messageOf } from "../errors.ts";
import { LineReader } from "../upstreams/line-reader.ts";
import { readInTurns } from "../upstreams/read-in-turns.ts";
import { Holding } from "./byte-budget.ts";
import type { DuplexOptions } from "./duplex.ts";
import { duplexOver } from "./line-socket.ts";
import { listenAt } from "./shared-port.ts";
import type { McpTarget } from "./target.ts";

export interface TcpOptions extends DuplexOptions {
  /** Longest message in bytes; a client that sends a longer one is cut. */
  readonly maxMessageBytes: number;
  /** Open connections, past which another one is closed at once. */
  readonly maxConnections: number;
}

/** A new connection that sends nothing is closed after this time. */
const firstMessageMs = 60_000;
/** How a message begins. Blanks before it are allowed (RFC 8259, section 2), a byte order mark is not (section 8.1). */
const object = /^[ \t]*\{/;
const objectOrBatch = /^[ \t]*[[{]/;

/**
 * MCP over TCP with the framing of standard streams, one message a line: a custom transport (basic/transports). A page can
 * send lines of its choice to any port of the machine, inside an HTTP request (fetch, a form) whose origin nobody checks here:
 * the first line that is no message ends the connection, and nothing behind it is looked at.
 */
export class TcpListener {
  readonly #options: TcpOptions;
  readonly #target: () => McpTarget | undefined;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  /** `target` is asked for each connection; without one the connection is closed. */
  constructor(options: TcpOptions, target: () => McpTarget | undefined) {
    this.#options = options;
    this.#target = target;
    this.#server = createServer((socket) => this.#serve(socket));
    this.#server.maxConnections = options.maxConnections;
  }

  /** Resolves with the port, at which other processes of the gateway can listen too if it is `shared`. Rejects with ADDRESS_IN_USE. */
  listen(host: string, port: number, shared = false): Promise<number> {
    return listenForLines(this.#server, host, port, shared);
  }

  /** Bytes that wait for the client that has most of them. */
  get waiting(): number {
    return Math.max(0, ...[...this.#sockets].map(({ writableLength }) => writableLength));
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #serve(socket: Socket): void {
    const target = this.#target();
    if (target === undefined) {
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    socket.setNoDelay(true).setKeepAlive(true, 30_000);
    socket.setTimeout(firstMessageMs, () => socket.destroy());
    const { budget } = this.#options;
    const unfinished = budget && new Holding(budget, "messages", () => socket.destroy());
    let begins = object;
    let over = false;
    const flow = readInTurns(socket, (chunk) => {
      if (over) return;
      lines.push(chunk);
      unfinished?.set(lines.unfinished);
    });
    const duplex = duplexOver(socket, this.#options, target, flow);
    const close = () => {
      over = true;
      // Once the answer has been written.
      socket.destroySoon();
    };
    const end = () => {
      if (over) return;
      duplex.garbled("the line is not a JSON-RPC message; send one JSON object a line, encoded as UTF-8, and no HTTP");
      close();
    };
    const lines = new LineReader(
      (line) => {
        if (over) return;
        if (!begins.test(line)) {
          end();
          return;
        }
        const problem = duplex.receive(line);
        // What is JSON but no message may be a mistake of a client that has made itself known.
        if (problem === "PARSE_ERROR" || (problem !== undefined && begins === object)) close();
        socket.setTimeout(0);
        begins = objectOrBatch;
      },
      () => socket.destroy(),
      end,
      this.#options.maxMessageBytes,
    );
    socket.on("close", () => {
      unfinished?.set(0);
      lines.close();
      this.#sockets.delete(socket);
      duplex.closed();
    });
    // A connection that breaks is closed, and "close" follows.
    socket.on("error", () => {});
  }
}

/** Resolves with the port. Rejects with ADDRESS_IN_USE. */
export function listenForLines(server: Server, host: string, port: number, shared: boolean): Promise<number> {
  return listenAt(server, { host, port, shared }, (error) => {
    const fix = "set it to a port that is free (0 takes one)";
    const text = `gateway.listeners.tcp.port: cannot listen on ${host}:${port} (${messageOf(error)}); ${fix}`;
    return new FleetError("ADDRESS_IN_USE", text, { cause: error });
  });
}
