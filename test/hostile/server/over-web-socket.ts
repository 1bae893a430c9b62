import { createServer, type Server } from "node:http";
import type { Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { type WebSocket, WebSocketServer } from "ws";
import { type Channel, ChannelPlayer } from "./channel.ts";
import type { Desk } from "./desk.ts";

/** Bytes that wait in a socket before its server does. */
const fullBytes = 1 << 20;

function frameChannel(socket: WebSocket, raw: Socket): Channel {
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  const send = async (text: string | Buffer, fin: boolean) => {
    if (socket.readyState === socket.OPEN) socket.send(text, { fin, binary: false });
    while (socket.bufferedAmount > fullBytes && socket.readyState === socket.OPEN) await pause(5);
  };
  return {
    closed,
    say: (text) => send(text, true),
    piece: (text) => send(text, false),
    unread(ms) {
      raw.pause();
      setTimeout(() => raw.resume(), ms).unref();
    },
    end: (how) => (how === "half" ? raw.end() : raw.resetAndDestroy()),
  };
}

/** Over WebSocket, on a free port. */
export function overWebSocket(desk: Desk): Server {
  const server = createServer();
  server.on("connection", (socket) => socket.on("error", () => {}));
  new WebSocketServer({ server }).on("connection", (socket, request) => {
    socket.on("error", () => {});
    const player = new ChannelPlayer(desk, frameChannel(socket, request.socket));
    socket.on("message", (data) => player.receive(data.toString()));
  });
  return server.listen(0, "127.0.0.1");
}
