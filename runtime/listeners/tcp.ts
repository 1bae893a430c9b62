import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { FleetError, messageOf } from "../errors.ts";
import { LineReader } from "../upstreams/line-reader.ts";
import type { DuplexOptions } from "./duplex.ts";
import { duplexOver } from "./line-socket.ts";
import type { McpTarget } from "./target.ts";

/** MCP over TCP with the framing of standard streams, one message a line: a custom transport (basic/transports). */
export class TcpListener {
  readonly #options: DuplexOptions;
  readonly #target: () => McpTarget | undefined;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  /** `target` is asked for each connection; without one the connection is closed. */
  constructor(options: DuplexOptions, target: () => McpTarget | undefined) {
    this.#options = options;
    this.#target = target;
    this.#server = createServer((socket) => this.#serve(socket));
  }

  /** Resolves with the port. Rejects with ADDRESS_IN_USE. */
  listen(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", (error) => {
        const fix = "set it to a port that is free (0 takes one)";
        const text = `gateway.listeners.tcp.port: cannot listen on ${host}:${port} (${messageOf(error)}); ${fix}`;
        reject(new FleetError("ADDRESS_IN_USE", text, { cause: error }));
      });
      this.#server.listen(port, host, () => resolve((this.#server.address() as AddressInfo).port));
    });
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
    const duplex = duplexOver(socket, this.#options, target);
    const lines = new LineReader(
      (line) => duplex.receive(line),
      () => socket.destroy(),
      () => duplex.garbled(),
    );
    socket.on("data", (chunk: Buffer) => lines.push(chunk));
    socket.on("close", () => {
      this.#sockets.delete(socket);
      duplex.closed();
    });
    // A connection that breaks is closed, and "close" follows.
    socket.on("error", () => {});
  }
}
