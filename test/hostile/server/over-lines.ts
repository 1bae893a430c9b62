import { createServer, type Server } from "node:net";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { type Channel, ChannelPlayer } from "./channel.ts";
import type { Desk } from "./desk.ts";
import { write } from "./write.ts";

/** Messages one a line, as over standard streams and TCP. */
function lineChannel(input: Readable, output: Writable, end: Channel["end"]): Channel {
  const closed = new Promise<void>((resolve) => output.once("close", resolve));
  return {
    closed,
    end,
    say: (text) => write(output, typeof text === "string" ? `${text}\n` : Buffer.concat([text, Buffer.from("\n")])),
    piece: (text) => write(output, text),
    unread(ms) {
      input.pause();
      setTimeout(() => input.resume(), ms).unref();
    },
  };
}

function serve(desk: Desk, input: Readable, output: Writable, end: Channel["end"]): void {
  output.on("error", () => {});
  const player = new ChannelPlayer(desk, lineChannel(input, output, end));
  // Many answers wait for one connection.
  output.setMaxListeners(0);
  createInterface({ input })
    .on("line", (line) => player.receive(line))
    .on("error", () => {});
}

/** Over the standard streams of this process; however it is to end a connection, the process ends. */
export function overStdio(desk: Desk): void {
  process.stdout.on("error", () => process.exit(0));
  process.stdin.on("end", () => process.exit(0));
  serve(desk, process.stdin, process.stdout, (how) => {
    if (how === "reset") process.kill(process.pid, "SIGKILL");
    else process.exit(how === "half" ? 0 : 3);
  });
}

/** Over TCP, on a free port. */
export function overTcp(desk: Desk): Server {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("end", () => socket.end());
    serve(desk, socket, socket, (how) => (how === "half" ? socket.end() : socket.resetAndDestroy()));
  });
  return server.listen(0, "127.0.0.1");
}
