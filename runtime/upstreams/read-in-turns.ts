import type { Readable } from "node:stream";
import type { Flow } from "../protocol/exchange.ts";

/** A piece that fills most of a read: only behind such a one there is more to be read in the same turn of the event loop. */
const fullBytes = 32 * 1024;
/** A piece that takes longer than this, in milliseconds, is one of many small things: 64 KiB of a message take microseconds. */
const turnMs = 5;

/**
 * Reads a stream so that others are served between two pieces that take long. The event loop reads up to two megabytes of one
 * stream in a turn; of lines of eight bytes that is seconds in which nothing else happens. The flow that is returned is
 * the only one that may pause and resume the stream.
 */
export function readInTurns(stream: Readable, take: (chunk: Buffer) => void): Flow {
  let held = false;
  const goOn = () => {
    if (!held) stream.resume();
  };
  stream.on("data", (chunk: Buffer) => {
    if (chunk.length < fullBytes) {
      take(chunk);
      return;
    }
    const began = performance.now();
    take(chunk);
    if (held || performance.now() - began < turnMs) return;
    stream.pause();
    setImmediate(goOn);
  });
  return {
    pause: () => {
      held = true;
      stream.pause();
    },
    resume: () => {
      held = false;
      stream.resume();
    },
  };
}
