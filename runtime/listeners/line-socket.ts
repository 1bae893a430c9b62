import type { Socket } from "node:net";
import { Duplex, type DuplexOptions } from "./duplex.ts";
import type { McpTarget } from "./target.ts";

/** A duplex connection over a socket on which each message is a line. Who reads the lines, and ends it, is whoever asked for it. */
export function duplexOver(socket: Socket, options: DuplexOptions, target: McpTarget): Duplex {
  const duplex = new Duplex(options, target, {
    send: (message) => void socket.write(`${message}\n`),
    get waiting() {
      return socket.writableLength;
    },
    cut: () => socket.destroy(),
    keepAlive: () => {},
    close: () => socket.end(),
    pause: () => socket.pause(),
    resume: () => socket.resume(),
  });
  socket.on("drain", () => duplex.taken());
  return duplex;
}
