import type { Server, Socket } from "node:net";
import { type Channel, ChannelPlayer } from "./channel.ts";
import type { Desk } from "./desk.ts";
import { bareHttp } from "./over-http.ts";
import { response } from "./play-http.ts";
import { write } from "./write.ts";

const head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";

/** What one GET stream carries: events. */
function eventChannel(socket: Socket, closed: Promise<void>): Channel {
  let within = false;
  const begin = () => (within ? "" : "event: message\ndata: ");
  return {
    closed,
    async say(text) {
      const start = begin();
      within = false;
      await write(socket, Buffer.concat([Buffer.from(start), Buffer.from(text), Buffer.from("\n\n")]));
    },
    async piece(text) {
      const start = begin();
      within = true;
      await write(socket, start + text);
    },
    unread() {},
    end: (how) => (how === "half" ? socket.end() : socket.resetAndDestroy()),
  };
}

/** HTTP+SSE of 2024-11-05, on a free port: answers come on the stream, whatever connection the request came by. */
export function overSse(desk: Desk): Server {
  const players = new Map<string, ChannelPlayer>();
  return bareHttp(async (socket, closed, { method, path, body }) => {
    if (method === "GET") {
      const id = `/messages/${players.size}`;
      players.set(id, new ChannelPlayer(desk, eventChannel(socket, closed)));
      socket.write(`${head}event: endpoint\ndata: ${id}\n\n`);
    } else if (players.has(path)) {
      socket.write(response("", "", "202 Accepted"));
      players.get(path)?.receive(body);
    } else socket.write(response("", "", "404 Not Found"));
  });
}
