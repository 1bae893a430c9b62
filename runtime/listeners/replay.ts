import { randomBytes } from "node:crypto";
import type { ServerResponse } from "node:http";
import { LRUCache } from "lru-cache";
import type { Use } from "../observability/bounds.ts";
import type { ClientSession, NoticeStream } from "../protocol/client-session.ts";
import { EventStream } from "./event-stream.ts";

/** Streams of which something is kept, and for how long after they were last used. */
const maxStreams = 1024;
const keptMs = 5 * 60_000;
/** What is kept of one stream, and of all together; the oldest goes first. */
const maxMessages = 100;
const maxBytes = 256 * 1024;
const maxTotalBytes = 64 * 1024 * 1024;

/**
 * Event streams that outlive their connection (2025-03-26 to 2025-11-25, basic/transports, "Resumability and
 * Redelivery"): each event has an id, and a GET with `Last-Event-ID` brings what came after it.
 */
export class Replay {
  readonly #streams = new LRUCache<string, ReplayStream>({
    max: maxStreams,
    ttl: keptMs,
    updateAgeOnGet: true,
    dispose: (stream) => stream.forget(),
  });
  #bytes = 0;
  readonly #maxTotalBytes: number;

  /** `maxBytes`: of what is kept for all clients together. */
  constructor(maxBytes = maxTotalBytes) {
    this.#maxTotalBytes = maxBytes;
  }

  /** What is kept of all streams, in characters. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Streams of which something is kept, and their bound. */
  get kept(): Use {
    return { size: this.#streams.size, max: maxStreams };
  }

  open(session: ClientSession, response: ServerResponse): ReplayStream {
    const name = randomBytes(9).toString("base64url");
    const stream = new ReplayStream(name, session.claims.id, (bytes) => this.#kept(bytes));
    this.#streams.set(name, stream);
    stream.attach(response, 0);
    return stream;
  }

  /** The stream of an event goes on here; undefined when it is not known (any more), or is another session's. */
  resume(session: ClientSession, lastEventId: string, response: ServerResponse): ReplayStream | undefined {
    const [, name, last] = /^([\w-]{12})\.(\d{1,15})$/.exec(lastEventId) ?? [];
    const stream = name === undefined ? undefined : this.#streams.get(name);
    if (stream === undefined || stream.session !== session.claims.id) return undefined;
    stream.attach(response, Number(last));
    return stream;
  }

  #kept(bytes: number): void {
    this.#bytes += bytes;
    while (this.#bytes > this.#maxTotalBytes && this.#streams.size > 0) this.#streams.pop();
  }
}

/** One stream of events with ids, and the connection on which it is read, if there is one. */
export class ReplayStream implements NoticeStream {
  readonly session: string;
  readonly #name: string;
  #kept: { readonly number: number; readonly message: string }[] | undefined = [];
  readonly #onKept: (bytes: number) => void;
  #bytes = 0;
  #last = 0;
  #ended = false;
  #reader: EventStream | undefined;

  /** `onKept` hears of each change of what is kept, in characters. */
  constructor(name: string, session: string, onKept: (bytes: number) => void) {
    this.#onKept = onKept;
    this.#name = name;
    this.session = session;
  }

  /** Does anybody read it now? */
  get attached(): boolean {
    return this.#reader !== undefined;
  }

  /** Another connection reads it from now on, beginning with what came after event `last`. */
  attach(response: ServerResponse, last: number): void {
    const reader = new EventStream(response);
    this.#reader?.end();
    this.#reader = reader;
    response.on("close", () => {
      if (this.#reader === reader) this.#reader = undefined;
    });
    for (const { number, message } of this.#kept ?? []) {
      if (number > last) reader.event("message", message, `${this.#name}.${number}`);
    }
    if (this.#ended) this.end();
  }

  caughtUp(): Promise<void> | undefined {
    return this.#reader?.caughtUp();
  }

  send(message: string): void {
    this.#last += 1;
    this.#keep(message);
    this.#reader?.event("message", message, `${this.#name}.${this.#last}`);
  }

  /** Keeps nothing any more: its reader goes on, but cannot come back for what was said. */
  forget(): void {
    this.#kept = undefined;
    this.#onKept(-this.#bytes);
    this.#bytes = 0;
  }

  #keep(message: string): void {
    const kept = this.#kept;
    if (kept === undefined) return;
    const before = this.#bytes;
    kept.push({ number: this.#last, message });
    this.#bytes += message.length;
    while (kept.length > maxMessages || (this.#bytes > maxBytes && kept.length > 0)) {
      this.#bytes -= kept.shift()?.message.length ?? 0;
    }
    this.#onKept(this.#bytes - before);
  }

  keepAlive(): void {
    this.#reader?.keepAlive();
  }

  end(message?: string): void {
    if (message !== undefined) this.send(message);
    this.#ended = true;
    this.#reader?.end();
    this.#reader = undefined;
  }
}
