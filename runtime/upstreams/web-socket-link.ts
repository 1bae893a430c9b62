import type { Readable } from "node:stream";
import type { Flow } from "../protocol/exchange.ts";
import type { DuplexLink } from "./duplex-connector.ts";
import { maxLineBytes } from "./line-reader.ts";
import { framesInTurns } from "./read-in-turns.ts";
import type { UpstreamTls } from "./upstream-tls.ts";

/** Connects to a server that speaks MCP over WebSocket, one message a text frame: a custom transport (basic/transports). */
export async function openWebSocket(
  url: URL,
  connectMs: number,
  receive: (message: string) => void,
  headers: Readonly<Record<string, string>> = {},
  tls?: UpstreamTls,
): Promise<DuplexLink> {
  // Loaded with the first such server.
  const { WebSocket } = await import("ws");
  const bounds = { handshakeTimeout: connectMs, maxPayload: maxLineBytes, perMessageDeflate: false };
  const options = { headers, ...bounds, ...tls?.options() };
  const socket = new WebSocket(url, "mcp", options);
  let reason: string | undefined;
  let stream: Readable | undefined;
  socket.once("upgrade", (response) => {
    stream = response.socket;
  });
  // Before the first await: the server can send messages together with its answer to the upgrade.
  socket.on("message", (data) => receive(data.toString()));
  const flow = await new Promise<Flow>((resolve, reject) => {
    socket.once("open", () => resolve(framesInTurns(socket, stream as Readable))).once("error", reject);
  });
  socket.on("error", (error) => {
    reason ??= error.message;
  });
  const ended = new Promise<string>((resolve) => {
    socket.on("close", (code) => resolve(reason ?? `the connection was closed with code ${code}`));
  });
  return {
    get waiting() {
      return socket.bufferedAmount;
    },
    pause: () => flow.pause(),
    resume: () => flow.resume(),
    send: (message, onSent) => socket.send(message, (error) => error ?? onSent?.()),
    ended,
    close: async () => socket.close(1000),
    abort: async (why) => {
      if (why !== undefined) reason = why;
      socket.terminate();
    },
  };
}
