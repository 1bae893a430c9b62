import type { Socket } from "node:net";

/** One request of the gateway, as a hostile server needs it. */
export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly body: string;
}

/** Reads requests whose bodies have a length, one after the other; for a server that must write each byte itself. */
export function onRequests(socket: Socket, onRequest: (request: HttpRequest) => void): void {
  let bytes = Buffer.alloc(0);
  socket.on("data", (chunk) => {
    bytes = Buffer.concat([bytes, chunk]);
    for (let end = bytes.indexOf("\r\n\r\n"); end >= 0; end = bytes.indexOf("\r\n\r\n")) {
      const head = bytes.toString("latin1", 0, end);
      const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
      if (bytes.length < end + 4 + length) return;
      const [method = "", path = ""] = head.split(" ", 2);
      const body = bytes.toString("utf8", end + 4, end + 4 + length);
      bytes = bytes.subarray(end + 4 + length);
      onRequest({ method, path, body });
    }
  });
}
