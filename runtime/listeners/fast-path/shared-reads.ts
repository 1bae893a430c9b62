import { type Server, Socket } from "node:net";

/** What Node keeps of a connection that has been accepted. */
interface Accepted {
  _handle: object | null;
  readonly _server: Server | undefined;
  readonly server: Server | undefined;
}

/**
 * Takes over a connection that was accepted with `pauseOnConnect`, so that its reads land in `buffer` instead of memory of
 * their own each (`onread` of net.Socket, which servers do not offer). Memory that is used again is neither allocated nor
 * collected: a garbage collection of the gateway under load spent half of its pause on the buffers of requests. `onRead`
 * returns false to read no further.
 */
export function sharedReads(accepted: Socket, buffer: Buffer, onRead: (bytes: Buffer) => boolean): Socket {
  const from = accepted as unknown as Accepted;
  const { _handle: handle, _server, server } = from;
  from._handle = null;
  const onread = { buffer, callback: (length: number) => onRead(buffer.subarray(0, length)) };
  const socket = new Socket({ handle, allowHalfOpen: true, onread } as object);
  // It counts as the server's connection, as the accepted one did.
  Object.assign(socket, { server, _server });
  socket.read(0);
  return socket;
}
