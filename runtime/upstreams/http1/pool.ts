import type { ConnectionOptions } from "node:tls";
import { bodyBuffers } from "./body-buffers.ts";
import { HttpConnection, type Requester, sharedReads } from "./connection.ts";
import { Fifo } from "./fifo.ts";

export interface HttpPoolOptions {
  /** Whose scheme, host and port the connections go to. */
  readonly url: URL;
  /** Most connections for requests; streams have one each beside them. */
  readonly maxConnections: number;
  readonly connectMs: number;
  /** A connection without work is closed after so long, or when the server's own time is up. Defaults to that, else 4000. */
  readonly idleMs?: number | undefined;
  /** A connection that has lived for so long is replaced after its request, so that new addresses of a name are found. */
  readonly maxLifetimeMs: number;
  /** Of each new connection, in TLS. Defaults to the system's. */
  readonly tls?: (() => ConnectionOptions) | undefined;
}

interface Waiting {
  readonly requester: Requester;
  readonly head: string;
  readonly body: string | undefined;
}

const sweepMs = 1000;

/** Connections to one origin. Requests take the one used last; when all are busy they wait for their turn. */
export class HttpPool {
  /** Memory for the bodies that come over its connections, shared with all others. */
  readonly bodies = bodyBuffers;
  readonly #options: HttpPoolOptions;
  readonly #reads = sharedReads();
  readonly #idle: HttpConnection[] = [];
  readonly #connections = new Set<HttpConnection>();
  readonly #streams = new Set<HttpConnection>();
  /** Those of calls that wait for their clients: they count no more, and are as many as the others at the most. */
  readonly #lent = new Set<HttpConnection>();
  readonly #waiting = new Fifo<Waiting>();
  readonly #sweep: NodeJS.Timeout;
  #connecting = 0;
  #closed = false;

  constructor(options: HttpPoolOptions) {
    this.#options = options;
    this.#sweep = setInterval(() => this.#dropIdle(), sweepMs).unref();
  }

  get maxConnections(): number {
    return this.#options.maxConnections;
  }

  /** Can a request only wait for a connection now? */
  get full(): boolean {
    return this.#idle.length === 0 && this.#connections.size >= this.#options.maxConnections;
  }

  /** Open connections, those that are being opened, and those among them without work. */
  get statistics(): {
    readonly total: number;
    readonly idle: number;
    readonly streams: number;
    readonly lent: number;
    readonly waiting: number;
  } {
    return {
      total: this.#connections.size,
      idle: this.#idle.length,
      streams: this.#streams.size,
      lent: this.#lent.size,
      waiting: this.#waiting.size,
    };
  }

  /** Sends one request as soon as a connection is free. */
  request(head: string, body: string | undefined, requester: Requester): void {
    const connection = this.#take(requester);
    if (connection !== undefined) connection.send(head, body, requester);
    else if (this.#closed) requester.onError(new Error("the pool is closed"));
    else {
      this.#waiting.push({ requester, head, body });
      if (this.#connecting < this.#waiting.size && this.#connections.size < this.#options.maxConnections) this.#open();
    }
  }

  /** Sends a request whose answer may go on for ever, on a connection of its own. */
  stream(head: string, body: string | undefined, requester: Requester): void {
    let sent = false;
    const connection = new HttpConnection(
      {
        ...this.#options,
        onFree: (free) => {
          if (sent || this.#closed) {
            free.close();
            return;
          }
          sent = true;
          free.send(head, body, requester);
        },
        onClosed: (closed, error) => {
          this.#streams.delete(closed);
          if (!sent) requester.onError(error);
        },
      },
      this.#reads,
    );
    this.#streams.add(connection);
  }

  /**
   * The call on a connection waits for its client, which may take minutes: other calls get another connection instead.
   * False when as many wait as there may be connections.
   */
  lend(connection: HttpConnection): boolean {
    if (!this.#connections.has(connection)) return true;
    if (this.#lent.size >= this.#options.maxConnections) return false;
    this.#connections.delete(connection);
    this.#lent.add(connection);
    if (this.#connecting < this.#waiting.size) this.#open();
    return true;
  }

  /** Gives up a request that has not gone out. False when it has. */
  cancel(requester: Requester): boolean {
    return this.#waiting.remove((waiting) => waiting.requester === requester);
  }

  /** Ends all connections; what is on them fails. */
  close(): void {
    this.#closed = true;
    clearInterval(this.#sweep);
    for (const connection of [...this.#connections, ...this.#lent, ...this.#streams]) connection.close();
  }

  #take({ choosy, caller }: Requester): HttpConnection | undefined {
    const now = performance.now();
    for (let connection = this.#idle.pop(); connection !== undefined; connection = this.#idle.pop()) {
      if (connection.idleUntil <= now) connection.close();
      else return choosy && connection.foreignTo(caller) ? this.#choose(connection, caller, now) : connection;
    }
    return undefined;
  }

  /** Another idle connection than this one, which has served another caller; undefined when a new one must be opened. */
  #choose(unfit: HttpConnection, caller: string | undefined, now: number): HttpConnection | undefined {
    this.#idle.push(unfit);
    const at = this.#idle.findLastIndex((idle) => idle.idleUntil > now && !idle.foreignTo(caller));
    if (at >= 0) return this.#idle.splice(at, 1)[0];
    // The one that was idle longest makes room.
    if (this.#connections.size >= this.#options.maxConnections) this.#idle[0]?.close();
    return undefined;
  }

  #open(): void {
    this.#connecting += 1;
    let connecting = true;
    const { maxLifetimeMs } = this.#options;
    const connected = () => {
      if (connecting) this.#connecting -= 1;
      connecting = false;
    };
    this.#connections.add(
      new HttpConnection(
        {
          ...this.#options,
          onFree: (connection) => {
            connected();
            const old = performance.now() - connection.openedAt > maxLifetimeMs;
            if (old || this.#lent.has(connection)) connection.close();
            else this.#free(connection);
          },
          onClosed: (connection, error) => {
            connected();
            this.#gone(connection, error);
          },
        },
        this.#reads,
      ),
    );
  }

  #free(connection: HttpConnection): void {
    const next = this.#waiting.peek();
    if (next === undefined) this.#idle.push(connection);
    else if (next.requester.choosy && connection.foreignTo(next.requester.caller)) connection.close();
    else {
      this.#waiting.shift();
      connection.send(next.head, next.body, next.requester);
    }
  }

  #gone(connection: HttpConnection, error: Error): void {
    this.#connections.delete(connection);
    this.#lent.delete(connection);
    const at = this.#idle.indexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
    if (this.#waiting.size === 0) return;
    if (!this.#closed && connection.opened) {
      if (this.#connecting < this.#waiting.size) this.#open();
    } else if (this.#connections.size === 0 || this.#closed) {
      // Nobody is left who could take what waits.
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
        next.requester.onError(error);
      }
    }
  }

  #dropIdle(): void {
    const now = performance.now();
    for (const connection of [...this.#idle]) if (connection.idleUntil <= now) connection.close();
  }
}
