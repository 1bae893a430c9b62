import type { IncomingMessage } from "node:http";
import type { Duplex as Stream } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import { framesInTurns } from "../upstreams/read-in-turns.ts";
import { Holding } from "./byte-budget.ts";
import { Duplex, type DuplexOptions } from "./duplex.ts";
import type { McpTarget } from "./target.ts";

export interface WebSocketOptions extends DuplexOptions {
  readonly maxMessageBytes: number;
}

/** The subprotocol of RFC 6455 that clients may ask for. */
const subprotocol = "mcp";
/** A client that has not answered a ping when the next one is due is gone. */
const pingEveryMs = 30_000;

/** MCP over WebSocket at `/ws`, one JSON-RPC message a text frame: a custom transport (basic/transports). */
export class WebSocketListener {
  readonly #options: WebSocketOptions;
  readonly #server: WebSocketServer;
  readonly #pulse: NodeJS.Timeout;
  readonly #silent = new WeakSet<WebSocket>();

  constructor(options: WebSocketOptions) {
    this.#options = options;
    this.#server = new WebSocketServer({
      ...{ noServer: true, maxPayload: options.maxMessageBytes, perMessageDeflate: false },
      handleProtocols: (offered) => (offered.has(subprotocol) ? subprotocol : false),
    });
    this.#pulse = setInterval(() => this.#ping(), pingEveryMs).unref();
  }

  /** Takes over a connection that asks for an upgrade; who calls has been checked. */
  accept(request: IncomingMessage, socket: Stream, head: Buffer, target: McpTarget): void {
    this.#server.handleUpgrade(request, socket, head, (client) => this.#serve(client, socket, target));
  }

  /** Bytes that wait for the client that has most of them. */
  get waiting(): number {
    return Math.max(0, ...[...this.#server.clients].map(({ bufferedAmount }) => bufferedAmount));
  }

  close(): void {
    clearInterval(this.#pulse);
    // 1001: the server is going away (RFC 6455, section 7.4.1).
    for (const client of this.#server.clients) client.close(1001);
  }

  /** Cuts those that have not closed. */
  terminate(): void {
    for (const client of this.#server.clients) client.terminate();
  }

  #serve(client: WebSocket, socket: Stream, target: McpTarget): void {
    const flow = framesInTurns(client, socket);
    const duplex: Duplex = new Duplex(this.#options, target, {
      send: (message) => client.send(message, () => duplex.taken()),
      get waiting() {
        return client.bufferedAmount;
      },
      cut: () => client.terminate(),
      // 1008: against the server's policy.
      close: (reason) => client.close(1008, reason),
      pause: () => flow.pause(),
      resume: () => flow.resume(),
    });
    const { budget } = this.#options;
    const unfinished = budget && new Holding(budget, "messages", () => client.terminate());
    // Bytes since the last message, or nearly: before the WebSocket itself, which finds the messages in them.
    let came = 0;
    socket.prependListener("data", (chunk: Buffer) => {
      came += chunk.length;
      unfinished?.set(came);
    });
    client.on("message", (data, binary) => {
      came = 0;
      unfinished?.set(0);
      // 1003: unsupported data.
      if (binary) client.close(1003, "send text frames");
      else duplex.receive(data.toString());
    });
    client.on("pong", () => this.#silent.delete(client));
    client.on("close", () => {
      unfinished?.set(0);
      duplex.closed();
    });
    // A broken frame or a message too large: the socket is closed with the right code, and "close" follows.
    client.on("error", () => {});
  }

  #ping(): void {
    for (const client of this.#server.clients) {
      if (this.#silent.has(client)) client.terminate();
      else {
        this.#silent.add(client);
        client.ping();
      }
    }
  }
}
