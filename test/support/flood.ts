import { once } from "node:events";
import { join } from "node:path";
import { Worker } from "node:worker_threads";

/** Messages of four bytes that a flooding server sends over a WebSocket, and bytes that it sends over HTTP. */
export const floodBytes = 1024 * 1024;
export const floodMessages = floodBytes / 4;

/** A server that floods who connects. */
export async function startFlood(): Promise<{ readonly port: number; close(): Promise<unknown> }> {
  const thread = new Worker(join(import.meta.dirname, "../fixtures/flooding-thread.ts"));
  const [port] = await once(thread, "message");
  return { port, close: () => thread.terminate() };
}

/** Counts what comes between two turns that others have. */
export class TurnCount {
  most = 0;
  #now = 0;
  #going = true;
  readonly #others = (): void => {
    this.#now = 0;
    if (this.#going) setImmediate(this.#others);
  };

  constructor() {
    this.#others();
  }

  one(): void {
    this.#now += 1;
    this.most = Math.max(this.most, this.#now);
  }

  stop(): void {
    this.#going = false;
  }
}

/** Works as long as the many small messages of one piece take. */
export function labour(): void {
  const until = performance.now() + 8;
  while (performance.now() < until);
}
