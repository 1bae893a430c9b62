import { FleetError } from "../errors.ts";
import { Exchange, type Flow } from "../protocol/exchange.ts";
import type { RpcMessage } from "../protocol/json-rpc.ts";
import type { RequestIds } from "../protocol/request-ids.ts";
import { type Credentials, isRefusal } from "./credentials/index.ts";
import { HttpExchange } from "./http-exchange.ts";
import { type HttpOutcome, type Reading, unanswered } from "./http-outcome.ts";
import { type HttpPool, type Requester, type RequestHeaders, requestHead } from "./http1/index.ts";
import { maxRedirects, redirectOf, redirectText } from "./redirect.ts";
import { pause, pauseMs } from "./stream-pause.ts";
import { withinTime } from "./within-time.ts";

export interface HttpEndpointOptions {
  readonly fleet: string;
  readonly url: URL;
  readonly pool: HttpPool;
  /** Of all requests on the pool's connections. */
  readonly ids: RequestIds;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  /** What requests carry so that the server lets them in. */
  readonly credentials?: Credentials | undefined;
  /** For whom every request is made; else each one for the caller of its exchange. */
  readonly caller?: string;
}

const closeTimeoutMs = 2000;
/** Once for a token that has ended, once for one with too little scope. */
const maxRefusals = 2;

/** A stream of the server's that stays open. */
export interface OpenStream extends Flow {
  /** Resolves when the server ends it. */
  readonly ended: Promise<HttpOutcome>;
  close(): void;
}

/** The time of a call, which other requests before its answer share. */
interface CallTime {
  readonly exchange: Exchange;
  readonly latest: number;
}

const whole: Reading = {};
/** A stream that breaks off can be resumed. */
const resumable: Reading = { resumable: true };
/** A call of the session era, whose server can also ask its client. */
export const ofSession: Reading = { resumable: true, mayAsk: true };
const untilReply: Reading = { resumable: true, mayAsk: true, untilReply: true };

/** One URL of Streamable HTTP over pooled connections, whatever era its server is of. */
export class HttpEndpoint {
  readonly origin: string;
  readonly #options: HttpEndpointOptions;
  /** Where requests go now: elsewhere than configured when the server has redirected one. */
  #url: URL;
  readonly #unsent: (requester: Requester) => void;

  constructor(options: HttpEndpointOptions) {
    this.#options = options;
    this.origin = options.url.origin;
    this.#url = options.url;
    this.#unsent = (requester) => options.pool.cancel(requester);
  }

  /** For the next request. */
  nextId(): number {
    return this.#options.ids.next();
  }

  /** All connections are busy with calls. */
  get full(): boolean {
    return this.#options.pool.full;
  }

  /** What requests with these headers begin with; worth keeping for those that are always the same. */
  head(method: "GET" | "POST" | "DELETE", headers: RequestHeaders): string {
    return requestHead(method, this.#path, this.#options.url.host, headers);
  }

  get #path(): string {
    return this.#url.pathname + this.#url.search;
  }

  /**
   * Sends a request again, as `post` has sent it, where its server wants to have it within the same origin. Heads that
   * are made from now on go there at once. Resolves with the first answer that is no such redirect, or with the last
   * redirect of too many.
   */
  async follow(
    left: HttpOutcome,
    head: string,
    body: string | undefined,
    id: number | undefined,
    exchange: Exchange,
    onMessage: (message: RpcMessage) => void,
    reading: Reading = whole,
  ): Promise<HttpOutcome> {
    const leftMs = this.#timeOf(exchange);
    const rest = head.slice(head.indexOf(" HTTP/1.1\r\n"));
    const method = head.slice(0, head.indexOf(" "));
    let outcome = left;
    for (let times = 0; times < maxRedirects; times += 1) {
      const redirect = redirectOf(outcome.status, outcome.headers.location, this.#url);
      if (redirect?.followed !== true) return outcome;
      this.#url = redirect.to;
      const again = `${method} ${this.#path}${rest}`;
      outcome = await this.post(again, body, id, exchange, onMessage, reading, Math.max(leftMs(), 1));
    }
    return outcome;
  }

  /** How much of a request's time is left, whenever it is asked. */
  #timeOf(exchange: Exchange): () => number {
    const { now } = this.#options;
    const latest = now() + exchange.remainingMs;
    return () => exchange.restMs(now(), latest);
  }

  /** When a request ends at the latest that is made now, by its exchange. */
  latest(exchange: Exchange): number {
    return this.#options.now() + exchange.remainingMs;
  }

  /** Leaves what is left of a request's time for another one of the same call. Throws REQUEST_TIMEOUT when nothing is. */
  again(exchange: Exchange, latest: number): void {
    const { fleet, now } = this.#options;
    exchange.remainingMs = exchange.restMs(now(), latest);
    if (exchange.remainingMs <= 0) throw exchange.expired(fleet);
  }

  /**
   * Waits for what a request would better have before it goes out, for half of its time at most: the other half is for
   * the answer. Resolves with undefined when it has not come, or cannot. Rejects when the request is cancelled.
   */
  async inHalfTime<T>(wanted: Promise<T>, exchange: Exchange): Promise<T | undefined> {
    const { fleet, now } = this.#options;
    const latest = this.latest(exchange);
    try {
      return await withinTime(wanted, exchange.remainingMs / 2, exchange, fleet);
    } catch {
      if (exchange.cancelled !== undefined) throw exchange.failure;
      return undefined;
    } finally {
      exchange.remainingMs = Math.max(latest - now(), 1);
    }
  }

  /** UPSTREAM_PROTOCOL for a request that HTTP answered, but JSON-RPC did not. */
  unanswered(outcome: HttpOutcome): FleetError {
    const { fleet, url } = this.#options;
    const redirect = redirectOf(outcome.status, outcome.headers.location, this.#url);
    if (redirect === undefined) return unanswered(fleet, this.origin, outcome);
    const text = `${fleet}: ${this.origin} ${redirectText(url, redirect)}`;
    return new FleetError("UPSTREAM_PROTOCOL", text, { data: { status: outcome.status } });
  }

  /**
   * Sends one message and reads the whole answer; the messages before the response go to `onMessage`. `id` is the
   * request's; undefined for a message that has no response.
   */
  post(
    head: string,
    body: string | undefined,
    id: number | undefined,
    exchange: Exchange,
    onMessage: (message: RpcMessage) => void,
    reading: Reading = whole,
    timeoutMs = exchange.remainingMs,
  ): Promise<HttpOutcome> {
    const { credentials } = this.#options;
    if (credentials === undefined) return this.#post(head, body, id, exchange, onMessage, reading, timeoutMs);
    // A call has one time for all that comes of it; how long the gateway's own requests may wait for a token, its issuer's client says.
    const time = exchange.deadline === undefined ? undefined : { exchange, latest: this.#options.now() + timeoutMs };
    const send = (lines: string, leftMs = timeoutMs) =>
      this.#post(head + lines, body, id, exchange, onMessage, reading, leftMs);
    return this.#admitted(credentials, this.#options.caller ?? exchange.caller, send, time);
  }

  /** Sends with credentials, and again with better ones when the server says which it wants. */
  async #admitted(
    credentials: Credentials,
    caller: string | undefined,
    send: (lines: string, leftMs?: number) => Promise<HttpOutcome>,
    time?: CallTime,
  ): Promise<HttpOutcome> {
    const { url } = this.#options;
    for (let refusals = 0; ; refusals += 1) {
      const lines = credentials.linesFor(url, caller);
      const sent = typeof lines === "string" ? lines : await this.#inTime(lines, time);
      const outcome = await send(sent, time && this.#leftOf(time));
      const { status, headers } = outcome;
      if (!isRefusal(status)) return outcome;
      if (refusals === maxRefusals) {
        const text = `${this.#options.fleet}: ${this.origin} answered HTTP ${status} to ${refusals + 1} tokens in a row`;
        throw new FleetError("UPSTREAM_CREDENTIALS", `${text}; check servers.${this.#options.fleet}.credentials`);
      }
      const renewed = credentials.refused(url, caller, { status, challenge: headers["www-authenticate"], sent });
      await this.#inTime(renewed, time);
    }
  }

  #inTime<T>(wanted: Promise<T>, time: CallTime | undefined): Promise<T> {
    return time === undefined ? wanted : withinTime(wanted, this.#leftOf(time), time.exchange, this.#options.fleet);
  }

  #leftOf({ exchange, latest }: CallTime): number {
    return Math.max(exchange.restMs(this.#options.now(), latest), 1);
  }

  #post(
    head: string,
    body: string | undefined,
    id: number | undefined,
    exchange: Exchange,
    onMessage: (message: RpcMessage) => void,
    reading: Reading,
    timeoutMs: number,
  ): Promise<HttpOutcome> {
    return new Promise((resolve, reject) => {
      const { fleet, pool } = this.#options;
      const exchanged = new HttpExchange({
        fleet,
        origin: this.origin,
        id,
        onMessage,
        resolve,
        reject,
        reading,
        pool,
      });
      exchanged.watch(exchange, timeoutMs, this.#unsent);
      if (exchange.cancelled !== undefined) return;
      if (exchange.apart) pool.stream(head, body, exchanged);
      else pool.request(head, body, exchanged);
    });
  }

  /**
   * Reads on where a server of the session era has closed the stream of a call before its response, with the same `headers`
   * (2025-11-25, basic/transports, "Resumability and Redelivery"; SEP-1699). Resolves with the outcome that has the response,
   * or with the one that cannot be resumed. Rejects with REQUEST_TIMEOUT when the server wants to be left alone for longer
   * than the call has.
   */
  async resume(
    left: HttpOutcome,
    id: number,
    headers: RequestHeaders,
    exchange: Exchange,
    onMessage: (message: RpcMessage) => void,
  ): Promise<HttpOutcome> {
    const leftMs = this.#timeOf(exchange);
    let outcome = left;
    while (outcome.reply === undefined && outcome.cut !== undefined && outcome.status === 200) {
      const [wantedMs, availableMs] = [pauseMs(outcome.cut), leftMs()];
      await pause(Math.min(wantedMs, Math.max(availableMs, 0)), exchange);
      // A request in its last millisecond could still be answered before its timer is looked at.
      if (wantedMs >= availableMs && exchange.cancelled === undefined && exchange.overtimeMs() === 0) {
        throw exchange.expired(this.#options.fleet);
      }
      const { lastEventId } = outcome.cut;
      const resuming = this.head("GET", { ...headers, accept: "text/event-stream", "last-event-id": lastEventId });
      outcome = await this.post(resuming, undefined, id, exchange, onMessage, untilReply, Math.max(leftMs(), 1));
    }
    return outcome;
  }

  /** Opens an event stream that stays open: with GET, or with POST and a body. Resolves when the server ends it. */
  stream(
    head: string,
    body: string | undefined,
    id: number | undefined,
    onMessage: (message: RpcMessage) => void,
  ): OpenStream {
    const { credentials, caller } = this.#options;
    if (credentials === undefined) return this.#stream(head, body, id, onMessage);
    let closed = false;
    let stream: OpenStream | undefined;
    const ended = this.#admitted(credentials, caller, (lines) => {
      if (closed) return Promise.reject(new FleetError("CANCELLED", "closed"));
      stream = this.#stream(head + lines, body, id, onMessage);
      return stream.ended;
    });
    const close = () => {
      closed = true;
      stream?.close();
    };
    return { ended, close, pause: () => stream?.pause(), resume: () => stream?.resume() };
  }

  #stream(
    head: string,
    body: string | undefined,
    id: number | undefined,
    onMessage: (message: RpcMessage) => void,
  ): OpenStream {
    const { promise, resolve, reject } = Promise.withResolvers<HttpOutcome>();
    const { fleet, pool } = this.#options;
    const stream = new HttpExchange({
      fleet,
      origin: this.origin,
      id,
      onMessage,
      resolve,
      reject,
      reading: resumable,
      pool,
    });
    pool.stream(head, body, stream);
    return {
      ended: promise,
      close: () => stream.abort(new FleetError("CANCELLED", "closed")),
      pause: () => stream.pause(),
      resume: () => stream.resume(),
    };
  }

  /** Tells the server that a session is over; what it answers does not matter. */
  async delete(headers: RequestHeaders): Promise<void> {
    const head = this.head("DELETE", headers);
    await this.post(head, undefined, undefined, new Exchange(closeTimeoutMs), () => {}).catch(() => {});
  }
}
