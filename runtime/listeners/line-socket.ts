import type { Socket } from "node:net";
import { asLine } from "../protocol/line-text.ts";
import type { Source } from "../upstreams/read-in-turns.ts";
import { Duplex, type DuplexOptions } from "./duplex.ts";
import type { McpTarget } from "./target.ts";

/** A duplex connection over a socket on which each message is a line. Its maker reads the lines, by `flow`, and ends it. */
export function duplexOver(socket: Socket, options: DuplexOptions, target: McpTarget, flow: Source): Duplex {
  const duplex = new Duplex(options, target, {
    send: (message) => void socket.write(asLine(message)),
    get waiting() {
      return socket.writableLength;
    },
    cut: () => socket.destroy(),
    close: () => socket.end(),
    pause: () => flow.pause(),
    resume: () => flow.resume(),
  });
  socket.on("drain", () => duplex.taken());
  return duplex;
}
