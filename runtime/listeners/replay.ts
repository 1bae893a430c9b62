import { randomBytes } from "node:crypto";
import type { ServerResponse } from "node:http";
import { LRUCache } from "lru-cache";
import type { Use } from "../observability/bounds.ts";
import type { ClientSession, NoticeStream } from "../protocol/client-session.ts";
import { EventStream } from "./event-stream.ts";

/** Streams of which something is kept, and for how long after they were last used. */
const maxStreams = 1024;
const keptMs = 5 * 60_000;
/** What is kept of one stream, and of all together. */
const maxMessages = 100;
const maxBytes = 256 * 1024;
const maxTotalBytes = 64 * 1024 * 1024;

/** What is kept for one caller. */
interface Share {
  /** Its streams, the least recently used first. */
  readonly names: Set<string>;
  bytes: number;
}

/**
 * Event streams that outlive their connection (2025-03-26 to 2025-11-25, basic/transports, "Resumability and
 * Redelivery"): each event has an id, and a GET with `Last-Event-ID` brings what came after it. Where no more can be kept, the
 * caller of whom most is kept loses its oldest stream, so that nobody loses one to another caller's flood.
 */
export class Replay {
  readonly #streams = new LRUCache<string, ReplayStream>({
    max: maxStreams,
    ttl: keptMs,
    updateAgeOnGet: true,
    dispose: (stream, name) => {
      this.#left(stream.caller, name);
      stream.forget();
    },
  });
  readonly #shares = new Map<string, Share>();
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

  open({ claims }: ClientSession, response: ServerResponse): ReplayStream {
    const name = randomBytes(9).toString("base64url");
    const { id, caller } = claims;
    if (this.#streams.size >= maxStreams) this.#makeRoom(({ names }) => names.size);
    const share = this.#shares.get(caller) ?? { names: new Set<string>(), bytes: 0 };
    this.#shares.set(caller, share);
    share.names.add(name);
    const stream = new ReplayStream(name, { session: id, caller }, (bytes) => this.#kept(share, bytes));
    this.#streams.set(name, stream);
    stream.attach(response, 0);
    return stream;
  }

  /** The stream of an event goes on here; undefined when it is not known (any more), or is another session's. */
  resume(session: ClientSession, lastEventId: string, response: ServerResponse): ReplayStream | undefined {
    const [, name, last] = /^([\w-]{12})\.(\d{1,15})$/.exec(lastEventId) ?? [];
    const stream = name === undefined ? undefined : this.#streams.get(name);
    if (name === undefined || stream === undefined || stream.session !== session.claims.id) return undefined;
    const { names } = this.#shares.get(stream.caller) as Share;
    names.delete(name);
    names.add(name);
    stream.attach(response, Number(last));
    return stream;
  }

  #kept(share: Share, bytes: number): void {
    share.bytes += bytes;
    this.#bytes += bytes;
    // What is forgotten makes room; only what came needs some.
    while (bytes > 0 && this.#bytes > this.#maxTotalBytes && this.#streams.size > 0)
      this.#makeRoom(({ bytes: own }) => own);
  }

  /** Forgets the oldest stream of the caller who has most. */
  #makeRoom(use: (share: Share) => number): void {
    let fullest: Share | undefined;
    for (const share of this.#shares.values()) {
      if (fullest === undefined || use(share) > use(fullest)) fullest = share;
    }
    for (const oldest of fullest?.names ?? []) {
      this.#streams.delete(oldest);
      return;
    }
  }

  #left(caller: string, name: string): void {
    const share = this.#shares.get(caller);
    share?.names.delete(name);
    if (share?.names.size === 0) this.#shares.delete(caller);
  }
}

/** One stream of events with ids, and the connection on which it is read, if there is one. */
export class ReplayStream implements NoticeStream {
  readonly session: string;
  readonly caller: string;
  readonly #name: string;
  #kept: { readonly number: number; readonly message: string }[] | undefined = [];
  readonly #onKept: (bytes: number) => void;
  #bytes = 0;
  #last = 0;
  #ended = false;
  #reader: EventStream | undefined;
  /** The connection of the reader. */
  #response: ServerResponse | undefined;

  /** `onKept` hears of each change of what is kept, in characters. */
  constructor(
    name: string,
    { session, caller }: { readonly session: string; readonly caller: string },
    onKept: (bytes: number) => void,
  ) {
    this.#onKept = onKept;
    this.#name = name;
    this.session = session;
    this.caller = caller;
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
    this.#response = response;
    response.on("close", () => {
      if (this.#reader === reader) this.#left();
    });
    for (const { number, message } of this.#kept ?? []) {
      if (number > last) reader.event("message", message, `${this.#name}.${number}`);
    }
    if (this.#ended) this.end();
  }

  /** Ends this connection, if it is read there: what comes from now on waits for the next one. */
  detach(response: ServerResponse): void {
    if (this.#response !== response) return;
    this.#reader?.end();
    this.#left();
  }

  #left(): void {
    this.#reader = undefined;
    this.#response = undefined;
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
    this.#left();
  }
}
