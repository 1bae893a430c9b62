import type { ServerResponse } from "node:http";
import type { NoticeStream } from "../protocol/client-session.ts";

/** A comment line that keeps proxies from closing a quiet stream. */
const keepAlive = ": keep-alive\n\n";
/** Bytes that may wait for a slow client before its stream is closed. */
const maxBuffered = 8 * 1024 * 1024;

/** Server-sent events to one client (WHATWG HTML, section 9.2), one JSON-RPC message an event. */
export class EventStream implements NoticeStream {
  readonly #response: ServerResponse;
  /** Events of one turn, which go out as one write. */
  #waiting = "";
  readonly #flush = (): void => {
    const events = this.#waiting;
    this.#waiting = "";
    if (events === "" || this.#response.destroyed) return;
    if (this.#response.writableLength > maxBuffered) this.#response.destroy();
    else this.#response.write(events);
  };

  constructor(response: ServerResponse, headers: Record<string, string> = {}) {
    this.#response = response;
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

  send(message: string): void {
    this.event("message", message);
  }

  /** With an `id` a client can say later which event it saw last. */
  event(name: string, data: string, id?: string): void {
    if (this.#response.destroyed) return;
    if (this.#waiting === "") process.nextTick(this.#flush);
    this.#waiting += `event: ${name}\n${id === undefined ? "" : `id: ${id}\n`}data: ${data}\n\n`;
  }

  keepAlive(): void {
    this.#response.write(keepAlive);
  }

  end(message?: string): void {
    if (message !== undefined) this.send(message);
    this.#flush();
    this.#response.end();
  }
}
