import type { Readable } from "node:stream";
import type { WebSocket } from "ws";
import { proxyFor } from "../outgoing/proxy-rules.ts";
import { TunnelAgent } from "../outgoing/tunnel-agent.ts";
import type { Flow } from "../protocol/exchange.ts";
import type { DuplexLink, Receive } from "./duplex-connector.ts";
import { maxLineBytes } from "./line-reader.ts";
import { framesInTurns } from "./read-in-turns.ts";
import { followed, type Redirect, redirectOf } from "./redirect.ts";
import { UnfinishedMessage } from "./unfinished-message.ts";
import type { UpstreamTls } from "./upstream-tls.ts";

/** What a message that waits takes in memory beside its frame. */
const waitingBytes = 600;

/** Connects to a server that speaks MCP over WebSocket, one message a text frame: a custom transport (basic/transports). */
export async function openWebSocket(
  url: URL,
  connectMs: number,
  receive: Receive,
  headers: Readonly<Record<string, string>> = {},
  tls?: UpstreamTls,
): Promise<DuplexLink> {
  // Loaded with the first such server.
  const { WebSocket: Client } = await import("ws");
  const bounds = { handshakeTimeout: connectMs, maxPayload: maxLineBytes, perMessageDeflate: false };
  const to = (target: URL) => {
    const proxy = proxyFor(target);
    const through = proxy && { agent: new TunnelAgent(proxy, target) };
    return new Client(target, "mcp", { headers, ...bounds, ...tls?.options(), ...through });
  };
  let at = url;
  let socket = to(at);
  let begun = await opened(socket, at, receive);
  for (let times = 0; "redirect" in begun; times += 1) {
    at = followed(begun.redirect, at, times);
    socket = to(at);
    begun = await opened(socket, at, receive);
  }
  const { flow, stream } = begun;
  let messages = 0;
  let reason: string | undefined;
  watchMessages(socket, stream, (problem) => {
    reason ??= problem;
    socket.terminate();
  });
  socket.on("error", (error) => {
    reason ??= error.message;
  });
  const ended = new Promise<string>((resolve) => {
    socket.on("close", (code) => resolve(reason ?? `the connection was closed with code ${code}`));
  });
  return {
    get waiting() {
      return socket.bufferedAmount + messages * waitingBytes;
    },
    pause: () => flow.pause(),
    resume: () => flow.resume(),
    send(message, onSent) {
      messages += 1;
      socket.send(message, (error) => {
        messages -= 1;
        if (error == null) onSent?.();
      });
    },
    ended,
    close: async () => socket.close(1000),
    abort: async (why) => {
      if (why !== undefined) reason = why;
      socket.terminate();
    },
  };
}

/** A connection that is open. */
interface Begun {
  readonly flow: Flow;
  readonly stream: Readable;
}

/** Watches what has come of a message: its frames are gathered by the library, which does not tell. */
function watchMessages(socket: WebSocket, stream: Readable, onStalled: (problem: string) => void): void {
  const growth = new UnfinishedMessage(onStalled);
  let bytes = 0;
  socket.on("message", () => {
    bytes = 0;
    growth.ended();
  });
  stream.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    growth.grown(bytes);
  });
  socket.once("close", () => growth.ended());
}

/** Resolves when the connection is open, with the stream under it and what holds its messages back, or with where its server sends it on to. */
function opened(
  socket: WebSocket,
  at: URL,
  receive: (message: string) => void,
): Promise<Begun | { readonly redirect: Redirect }> {
  return new Promise((resolve, reject) => {
    let stream: Readable | undefined;
    socket.once("upgrade", (response) => {
      stream = response.socket;
    });
    // Before the first await: the server can send messages together with its answer to the upgrade.
    socket.on("message", (data) => receive(data.toString()));
    socket.once("error", reject).once("open", () => {
      resolve({ flow: framesInTurns(socket, stream as Readable), stream: stream as Readable });
    });
    socket.once("unexpected-response", (request, { statusCode = 0, headers }) => {
      request.destroy();
      const redirect = redirectOf(statusCode, headers.location, at);
      if (redirect === undefined) reject(new Error(`the server answered HTTP ${statusCode} to the upgrade`));
      else resolve({ redirect });
    });
  });
}
