import type { Readable } from "node:stream";
import type { Flow } from "../protocol/exchange.ts";

/** A piece that fills most of a read: only behind such a one there is more to be read in the same turn of the event loop. */
const fullBytes = 32 * 1024;
/** A piece that takes longer than this, in milliseconds, is one of many small things: 64 KiB of a message take microseconds. */
const turnMs = 5;

/** What can be read or left alone. */
export type Source = Pick<Flow, "pause" | "resume">;

/**
 * Reads a source so that others are served between two pieces that take long. The event loop reads up to two megabytes of one
 * stream in a turn; of lines of eight bytes that is seconds in which nothing else happens. Nobody else may pause and resume
 * the source.
 */
export class Turns implements Flow {
  readonly #source: Source;
  #held = false;
  readonly #goOn = (): void => {
    if (!this.#held) this.#source.resume();
  };

  constructor(source: Source) {
    this.#source = source;
  }

  /** Before a piece is taken; `end` wants what this returns. */
  begin(piece: Uint8Array): number {
    return piece.length < fullBytes ? Number.POSITIVE_INFINITY : performance.now();
  }

  /** After it has been taken. */
  end(began: number): void {
    if (began === Number.POSITIVE_INFINITY || this.#held || performance.now() - began < turnMs) return;
    this.#source.pause();
    setImmediate(this.#goOn);
  }

  pause(): void {
    this.#held = true;
    this.#source.pause();
  }

  resume(): void {
    this.#held = false;
    this.#source.resume();
  }
}

/** Reads a stream in turns. The flow that is returned is the only one that may pause and resume the stream. */
export function readInTurns(stream: Readable, take: (chunk: Buffer) => void): Flow {
  const turns = new Turns(stream);
  stream.on("data", (chunk: Buffer) => {
    const began = turns.begin(chunk);
    take(chunk);
    turns.end(began);
  });
  return turns;
}

/** The same for a WebSocket, which takes its messages from `socket` itself. */
export function framesInTurns(webSocket: Source, socket: Readable): Flow {
  const turns = new Turns(webSocket);
  let began = Number.POSITIVE_INFINITY;
  socket.prependListener("data", (chunk: Buffer) => {
    began = turns.begin(chunk);
  });
  socket.on("data", () => turns.end(began));
  return turns;
}
