import { isUtf8 } from "node:buffer";
import { connect } from "node:net";
import { WebSocket } from "ws";

/** Looks at what came back. */
type See = (text: string, cause: unknown) => void;
/** Writes down what must not happen. */
type Note = (problem: string, cause: unknown) => void;

/** What is written on a bare HTTP connection, and what becomes of it then. */
export interface BareConnection {
  readonly bytes: string;
  readonly ends: string;
}

const patienceMs = 10_000;
const theEnd = '{"jsonrpc":"2.0","id":"the end","method":"ping"}';
const ended = '"id":"the end"';

/** Resolves when `begin` calls back, or with false when that takes too long. */
function within(begin: (done: () => void) => void): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), patienceMs);
    begin(() => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}

/** A line that a connection over TCP outlives. What could be a web page's, or is no JSON, ends it (runtime/listeners/tcp.ts). */
function isLine(message: Buffer): boolean {
  const text = message.toString("utf8");
  if (!isUtf8(message) || text.includes("\n") || !/^[ \t]*[{[]/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Sends lines over one TCP connection, between two pings; resolves with what came back when the last one is answered, or the connection ends. */
async function said(port: number, messages: readonly Buffer[]): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  let received = "";
  const answered = within((done) => {
    socket.on("data", (chunk) => {
      received += chunk;
      if (received.includes(ended)) done();
    });
    socket.on("close", done);
    socket.on("error", done);
  });
  socket.write('{"jsonrpc":"2.0","id":"the beginning","method":"ping"}\n');
  for (const message of messages) socket.write(Buffer.concat([message, Buffer.from("\n")]));
  socket.write(`${theEnd}\n`);
  if (!(await answered)) received += "\n(neither an answer nor an end)";
  socket.destroy();
  return received;
}

/**
 * These messages over TCP: the lines of JSON over one connection, which must answer a ping after all of them, and each other one
 * over a connection of its own. Resolves with how many came back.
 */
export async function overTcp(port: number, messages: readonly Buffer[], see: See, note: Note): Promise<number> {
  const lines = await said(port, messages.filter(isLine));
  if (!lines.includes(ended)) note("a TCP connection did not live to the end", lines.slice(-200));
  const others: string[] = [];
  for (const message of messages) if (!isLine(message)) others.push(await said(port, [message]));
  const hung = others.find((received) => received.endsWith("(neither an answer nor an end)"));
  if (hung !== undefined) note("a TCP connection was left without an answer", hung.slice(-200));
  let count = 0;
  for (const received of [lines, ...others]) {
    see(received, "over TCP");
    count += received.split("\n").length - 1;
  }
  return count;
}

/** The same over WebSocket, without what is no UTF-8: that closes a WebSocket (RFC 6455, section 8.1). */
export async function overWebSocket(url: string, messages: readonly Buffer[], see: See, note: Note): Promise<number> {
  const socket = new WebSocket(url, "mcp");
  const received: string[] = [];
  await within((done) => {
    socket.on("open", () => {
      for (const message of messages) if (isUtf8(message)) socket.send(message.toString("utf8"));
      socket.send(theEnd);
    });
    socket.on("message", (data) => {
      const text = data.toString();
      received.push(text);
      if (text.includes(ended)) done();
    });
    socket.on("close", done);
    socket.on("error", done);
  });
  socket.terminate();
  if (!received.some((text) => text.includes(ended))) note("a WebSocket did not live to the end", received.slice(-1));
  see(received.join("\n"), "over WebSocket");
  return received.length;
}

/** Connections that are half closed, reset or left in the middle; one that is half closed must be closed by the gateway. */
export async function bareConnections(
  port: number,
  connections: readonly BareConnection[],
  see: See,
  note: Note,
): Promise<number> {
  const sockets = await Promise.all(
    connections.map(async (connection) => {
      const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
      let received = "";
      socket.on("data", (chunk) => {
        received += chunk;
      });
      socket.on("error", () => {});
      await within((done) => socket.write(connection.bytes, done));
      if (connection.ends === "reset") socket.resetAndDestroy();
      else if (connection.ends === "half closed") {
        const closed = await within((done) => socket.on("end", done).on("close", done).end());
        if (!closed) note("a half-closed connection stays open", connection);
      }
      see(received, connection);
      return socket;
    }),
  );
  for (const socket of sockets) socket.destroy();
  return sockets.length;
}
