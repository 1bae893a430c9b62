import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import type { JSONRPCMessage, Transport } from "@modelcontextprotocol/client";
import { WebSocket } from "ws";

/** MCP over TCP for the SDK's client, as its interface for custom transports asks. */
export class TcpTransport implements Transport {
  onmessage?: (message: JSONRPCMessage) => void;
  onclose?: () => void;
  readonly #port: number;
  #socket: Socket | undefined;

  constructor(port: number) {
    this.#port = port;
  }

  async start(): Promise<void> {
    const socket = connect(this.#port, "127.0.0.1");
    this.#socket = socket;
    await new Promise<void>((resolve, reject) => socket.once("connect", resolve).once("error", reject));
    createInterface({ input: socket }).on("line", (line) => this.onmessage?.(JSON.parse(line)));
    socket.on("close", () => this.onclose?.());
  }

  async send(message: JSONRPCMessage): Promise<void> {
    this.#socket?.write(`${JSON.stringify(message)}\n`);
  }

  async close(): Promise<void> {
    this.#socket?.destroy();
  }
}

/** MCP over WebSocket for the SDK's client. */
export class WebSocketTransport implements Transport {
  onmessage?: (message: JSONRPCMessage) => void;
  onclose?: () => void;
  readonly #url: string;
  readonly #headers: Record<string, string>;
  #socket: WebSocket | undefined;

  constructor(url: string, headers: Record<string, string> = {}) {
    this.#url = url;
    this.#headers = headers;
  }

  async start(): Promise<void> {
    const socket = new WebSocket(this.#url, "mcp", { headers: this.#headers });
    this.#socket = socket;
    await new Promise<void>((resolve, reject) => socket.once("open", resolve).once("error", reject));
    socket.on("message", (data) => this.onmessage?.(JSON.parse(data.toString())));
    socket.on("close", () => this.onclose?.());
  }

  async send(message: JSONRPCMessage): Promise<void> {
    this.#socket?.send(JSON.stringify(message));
  }

  async close(): Promise<void> {
    this.#socket?.close();
  }
}
