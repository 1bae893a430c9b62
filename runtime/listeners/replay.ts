import { randomBytes } from "node:crypto";
import type { ServerResponse } from "node:http";
import { LRUCache } from "lru-cache";
import type { Use } from "../observability/bounds.ts";
import type { ClientSession, NoticeStream } from "../protocol/client-session.ts";
import { EventStream } from "./event-stream.ts";

/** Streams of which something is kept, and for how long after they were last used. */
const maxStreams = 1024;
const keptMs = 5 * 60_000;
/** What is kept of one stream; the oldest goes first. */
const maxMessages = 100;
const maxBytes = 256 * 1024;

/**
 * Event streams that outlive their connection (2025-03-26 to 2025-11-25, basic/transports, "Resumability and
 * Redelivery"): each event has an id, and a GET with `Last-Event-ID` brings what came after it.
 */
export class Replay {
  readonly #streams = new LRUCache<string, ReplayStream>({ max: maxStreams, ttl: keptMs, updateAgeOnGet: true });

  /** Streams of which something is kept, and their bound. */
  get kept(): Use {
    return { size: this.#streams.size, max: maxStreams };
  }

  open(session: ClientSession, response: ServerResponse): ReplayStream {
    const name = randomBytes(9).toString("base64url");
    const stream = new ReplayStream(name, session.claims.id);
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
}

/** One stream of events with ids, and the connection on which it is read, if there is one. */
export class ReplayStream implements NoticeStream {
  readonly session: string;
  readonly #name: string;
  readonly #kept: { readonly number: number; readonly message: string }[] = [];
  #bytes = 0;
  #last = 0;
  #ended = false;
  #reader: EventStream | undefined;

  constructor(name: string, session: string) {
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
    for (const { number, message } of this.#kept) {
      if (number > last) reader.event("message", message, `${this.#name}.${number}`);
    }
    if (this.#ended) this.end();
  }

  caughtUp(): Promise<void> | undefined {
    return this.#reader?.caughtUp();
  }

  send(message: string): void {
    this.#last += 1;
    this.#kept.push({ number: this.#last, message });
    this.#bytes += message.length;
    while (this.#kept.length > maxMessages || (this.#bytes > maxBytes && this.#kept.length > 0)) {
      this.#bytes -= this.#kept.shift()?.message.length ?? 0;
    }
    this.#reader?.event("message", message, `${this.#name}.${this.#last}`);
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
