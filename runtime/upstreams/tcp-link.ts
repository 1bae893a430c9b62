import { once } from "node:events";
import { connect } from "node:net";
import { bareHost } from "../host-name.ts";
import type { DuplexLink, Receive } from "./duplex-connector.ts";
import { LineReader } from "./line-reader.ts";
import { LineWriter } from "./line-writer.ts";
import { readInTurns } from "./read-in-turns.ts";

/** Connects to a server that speaks MCP over TCP, one message a line: a custom transport (basic/transports). */
export async function openTcp({ hostname, port }: URL, connectMs: number, receive: Receive): Promise<DuplexLink> {
  const socket = connect({ host: bareHost(hostname), port: Number(port) });
  socket.setNoDelay(true).setKeepAlive(true, 30_000);
  const timer = setTimeout(() => socket.destroy(new Error(`no connection within ${connectMs} ms`)), connectMs);
  try {
    await once(socket, "connect");
  } finally {
    clearTimeout(timer);
  }
  let reason = "the connection was closed";
  const lines = new LineWriter(socket, (error) => {
    reason = error.message;
  });
  const abort = async (why?: string) => {
    if (why !== undefined) reason = why;
    socket.destroy();
  };
  const reader = new LineReader(
    receive,
    (problem) => void abort(problem),
    (line) => receive(line.toString(), true),
  );
  const flow = readInTurns(socket, (chunk) => reader.push(chunk));
  const ended = new Promise<string>((resolve) => {
    socket.on("close", () => {
      reader.close();
      resolve(reason);
    });
  });
  return {
    get waiting() {
      return lines.waiting;
    },
    pause: () => flow.pause(),
    resume: () => flow.resume(),
    send: (message, onSent) => lines.send(message, onSent),
    ended,
    close: () => abort(),
    abort,
  };
}
