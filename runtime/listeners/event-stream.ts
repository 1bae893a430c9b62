import type { ServerResponse } from "node:http";
import type { NoticeStream } from "../protocol/client-session.ts";

/** A comment line that keeps proxies from closing a quiet stream. */
const keepAlive = ": keep-alive\n\n";
/** Bytes that wait for a client before it counts as slow, and before its stream is closed. */
const slowAbove = 256 * 1024;
const maxWaiting = 8 * 1024 * 1024;

/** Server-sent events to one client (WHATWG HTML, section 9.2), one JSON-RPC message an event. */
export class EventStream implements NoticeStream {
  readonly #response: ServerResponse;
  readonly #maxWaiting: number;
  #caughtUp: Promise<void> | undefined;
  /** Events of one turn, which go out as one write. */
  #waiting = "";
  readonly #flush = (): void => {
    const events = this.#waiting;
    this.#waiting = "";
    if (events === "" || this.#response.destroyed) return;
    if (this.#response.writableLength > this.#maxWaiting) this.#response.destroy();
    else this.#response.write(events);
  };

  constructor(response: ServerResponse, headers: Record<string, string> = {}, bound = maxWaiting) {
    this.#response = response;
    this.#maxWaiting = bound;
    response.writeHead(200, {
      "content-type": "text/event-stream",
      "cache-control": "no-cache, no-transform",
      "x-accel-buffering": "no",
      ...headers,
    });
    response.flushHeaders();
  }

  get attached(): boolean {
    return !this.#response.destroyed;
  }

  /** Bytes, or nearly, that the client has not taken yet. */
  get waiting(): number {
    return this.#response.writableLength + this.#waiting.length;
  }

  caughtUp(): Promise<void> | undefined {
    if (this.waiting <= slowAbove || this.#response.destroyed) return undefined;
    this.#caughtUp ??= new Promise((resolve) => {
      const done = () => {
        this.#response.off("drain", done).off("close", done);
        this.#caughtUp = undefined;
        resolve();
      };
      this.#response.on("drain", done).on("close", done);
    });
    return this.#caughtUp;
  }

  send(message: string): void {
    this.event("message", message);
  }

  /** With an `id` a client can say later which event it saw last. */
  event(name: string, data: string, id?: string): void {
    if (this.#response.destroyed || this.#response.writableEnded) return;
    if (this.#waiting === "") process.nextTick(this.#flush);
    this.#waiting += `event: ${name}\n${id === undefined ? "" : `id: ${id}\n`}data: ${data}\n\n`;
  }

  keepAlive(): void {
    if (this.#response.destroyed || this.#response.writableEnded) return;
    this.#response.write(keepAlive);
  }

  end(message?: string): void {
    if (message !== undefined) this.send(message);
    this.#flush();
    this.#response.end();
  }
}
