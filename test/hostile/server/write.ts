import type { Writable } from "node:stream";

/** Writes and waits until the peer has taken most of it, or has gone. */
export function write(stream: Writable, bytes: string | Buffer): Promise<void> {
  return new Promise((resolve) => {
    if (!stream.writable || stream.write(bytes)) return resolve();
    const done = () => {
      stream.off("drain", done).off("close", done);
      resolve();
    };
    stream.on("drain", done).on("close", done);
  });
}
