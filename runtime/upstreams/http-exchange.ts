import { StringDecoder } from "node:string_decoder";
import { createParser, type EventSourceParser } from "eventsource-parser";
import { FleetError } from "../errors.ts";
import type { Exchange, Flow } from "../protocol/exchange.ts";
import {
  isNotification,
  isRequest,
  parseMessage,
  type RpcMessage,
  type RpcReply,
  replyOf,
} from "../protocol/json-rpc.ts";
import { takeApart, takeBytesApart } from "../protocol/raw-reply.ts";
import type { BodyBuffers, HttpConnection, Requester, ResponseHeaders } from "./http1/index.ts";

/** Largest answer that is kept in memory while it arrives. */
const maxAnswerBytes = 64 * 1024 * 1024;

/** Bodies above this are relayed as bytes; below it one string is cheaper. */
const largeBytes = 16 * 1024;

/** Where a stream of events was left, for who wants to read on (2025-11-25, basic/transports, "Resumability"). */
export interface Cut {
  readonly lastEventId: string;
  /** How long the server wants to be left alone first, in milliseconds; undefined when it has not said. */
  readonly retryMs: number | undefined;
}

/** How an answer is read. */
export interface Reading {
  /** A stream that breaks off can be resumed, so that is no failure. Defaults to false. */
  readonly resumable?: boolean;
  /** The stream is left as soon as the response has come, because the server may keep it open. Defaults to false. */
  readonly untilReply?: boolean;
}

/** What one request came to. `reply` is absent when the server only took a notification (202). */
export interface HttpOutcome {
  readonly status: number;
  readonly headers: ResponseHeaders;
  readonly reply: RpcReply | undefined;
  /** Text of an answer that is no JSON-RPC message, for error messages. */
  readonly text: string;
  /** The stream can be resumed. */
  readonly cut: Cut | undefined;
}

/** Whose exchange it is, and who is told of its end. */
export interface HttpExchangeOptions {
  readonly fleet: string;
  readonly origin: string;
  /** Messages before the response. */
  readonly onMessage: (message: RpcMessage) => void;
  readonly resolve: (outcome: HttpOutcome) => void;
  readonly reject: (error: FleetError) => void;
  readonly reading: Reading;
  /** Memory for large bodies. */
  readonly bodies: BodyBuffers;
}

const noHeaders: ResponseHeaders = {};

/**
 * Reads the answer to one request of Streamable HTTP (2025-03-26 and later, basic/transports): a JSON body, or a stream of
 * events whose last one is the response. One object per call.
 */
export class HttpExchange implements Requester, Flow {
  readonly #options: HttpExchangeOptions;
  #connection: HttpConnection | undefined;
  #timer: NodeJS.Timeout | undefined;
  #over = false;
  #paused = false;
  #status = 0;
  #headers = noHeaders;
  #length: number | undefined;
  #text = "";
  #body: Buffer | undefined;
  #chunks: Buffer[] = [];
  #size = 0;
  #events: EventSourceParser | undefined;
  #decoder: StringDecoder | undefined;
  #reply: RpcReply | undefined;
  #lastEventId: string | undefined;
  #retryMs: number | undefined;

  constructor(options: HttpExchangeOptions) {
    this.#options = options;
  }

  /** Gives up when the call is cancelled or takes too long; `unsent` is asked to forget a request that waits. */
  watch(exchange: Exchange, timeoutMs: number, unsent: (requester: Requester) => void): void {
    const expire = () => {
      if (exchange.client?.asked) {
        this.#timer = setTimeout(expire, exchange.timeoutMs);
        return;
      }
      const fix = "raise timeouts.requestMs of this server, or ask for less in one call";
      const text = `${this.#options.fleet}: no answer within ${exchange.timeoutMs} ms; ${fix}`;
      unsent(this);
      this.abort(new FleetError("REQUEST_TIMEOUT", text));
    };
    this.#timer = setTimeout(expire, timeoutMs);
    exchange.flow = this;
    exchange.onCancel((reason) => {
      unsent(this);
      this.abort(new FleetError("CANCELLED", `cancelled by the client: ${reason}`));
    });
  }

  /** Closes the connection under a call that nobody waits for any more. */
  abort(error: FleetError): void {
    if (this.#over) return;
    this.#fail(error);
    this.#connection?.close();
  }

  pause(): void {
    if (this.#over) return;
    this.#paused = true;
    this.#connection?.pause();
  }

  /** Also when it is over: the connection serves others then. */
  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#connection?.resume();
  }

  onSent(connection: HttpConnection): void {
    this.#connection = connection;
    if (this.#over) connection.close();
  }

  onResponse(status: number, headers: ResponseHeaders, length: number | undefined): void {
    this.#status = status;
    this.#headers = headers;
    this.#length = length;
    if (headers["content-type"]?.startsWith("text/event-stream") !== true) return;
    this.#decoder = new StringDecoder("utf8");
    this.#events = createParser({
      onEvent: ({ id, data }) => {
        if (id !== undefined) this.#lastEventId = id;
        this.#size = 0;
        this.#take(data);
      },
      onRetry: (ms) => {
        this.#retryMs = ms;
      },
    });
  }

  onData(chunk: Buffer): void {
    if (this.#events !== undefined) this.#feed(this.#events, chunk);
    else if (chunk.length === this.#length) this.#text = chunk.toString();
    else this.#keep(chunk);
  }

  #feed(events: EventSourceParser, chunk: Buffer): void {
    // Since the last whole event.
    this.#size += chunk.length;
    if (this.#size > maxAnswerBytes) {
      this.abort(new FleetError("UPSTREAM_PROTOCOL", `an event of the server exceeds ${maxAnswerBytes} bytes`));
    } else events.feed((this.#decoder as StringDecoder).write(chunk));
  }

  onEnd(): void {
    if (this.#over) return;
    const body =
      this.#body?.subarray(0, this.#size) ?? (this.#chunks.length > 0 ? Buffer.concat(this.#chunks) : undefined);
    const release = () => this.#release();
    const large = body !== undefined && body.length > largeBytes ? takeBytesApart(body, release) : undefined;
    if (large !== undefined) {
      this.#replied(large);
      this.#settle("");
      return;
    }
    if (body !== undefined) {
      this.#text = body.toString();
      release();
    }
    if (this.#text !== "") this.#take(this.#text);
    this.#settle(this.#text);
  }

  onError(error: Error): void {
    // The stream may be cut after the response came: that response counts.
    const resumable = this.#options.reading.resumable === true && this.#lastEventId !== undefined;
    if (this.#reply !== undefined || resumable) this.#settle("");
    else this.#fail(error instanceof FleetError ? error : this.#broken(error));
  }

  #release(): void {
    if (this.#body !== undefined) this.#options.bodies.giveBack(this.#body);
    this.#body = undefined;
  }

  /** Copies a part of a body; one whose length is known goes where it is to stay at once. */
  #keep(chunk: Buffer): void {
    const before = this.#size;
    this.#size += chunk.length;
    if ((this.#length ?? this.#size) > maxAnswerBytes) {
      this.abort(new FleetError("UPSTREAM_PROTOCOL", `the server's answer exceeds ${maxAnswerBytes} bytes`));
    } else if (this.#length === undefined) this.#chunks.push(Buffer.from(chunk));
    else {
      this.#body ??= this.#options.bodies.take(this.#length);
      chunk.copy(this.#body, before);
    }
  }

  #settle(text: string): void {
    if (this.#over) return;
    this.#over = true;
    this.resume();
    clearTimeout(this.#timer);
    const cut =
      this.#lastEventId === undefined ? undefined : { lastEventId: this.#lastEventId, retryMs: this.#retryMs };
    this.#options.resolve({ status: this.#status, headers: this.#headers, reply: this.#reply, text, cut });
  }

  #fail(error: FleetError): void {
    if (this.#over) return;
    this.#over = true;
    this.resume();
    clearTimeout(this.#timer);
    this.#options.reject(error);
  }

  #take(text: string): void {
    if (text === "") return;
    const raw = takeApart(text);
    if (raw !== undefined) {
      this.#replied(raw.reply);
      return;
    }
    let message: RpcMessage;
    try {
      message = parseMessage(text);
    } catch {
      return;
    }
    if (isRequest(message) || isNotification(message)) this.#options.onMessage(message);
    else this.#replied(replyOf(message));
  }

  #replied(reply: RpcReply): void {
    this.#reply = reply;
    if (this.#options.reading.untilReply !== true) return;
    this.#settle("");
    this.#connection?.close();
  }

  #broken(cause: Error): FleetError {
    const { fleet, origin } = this.#options;
    const reason = cause.message === "" ? String((cause as NodeJS.ErrnoException).code) : cause.message;
    if (this.#connection === undefined) {
      const text = `${fleet}: ${origin} cannot be reached (${reason}); is the server up?`;
      return new FleetError("UPSTREAM_UNREACHABLE", text, { cause });
    }
    const text = `${fleet}: the connection to ${origin} broke during the call (${reason}); call again`;
    return new FleetError("INSTANCE_LOST", text, { cause });
  }
}
