import type { Transform } from "node:stream";
import { FleetError } from "../errors.ts";
import { canBeAsked } from "../protocol/client-requests.ts";
import { plainNumber } from "../protocol/exact-number.ts";
import type { Exchange, Flow } from "../protocol/exchange.ts";
import {
  isNotification,
  isRequest,
  parseMessage,
  type RpcMessage,
  type RpcNotification,
  type RpcReply,
  replyOf,
  withoutMark,
} from "../protocol/json-rpc.ts";
import { elementTexts, memberText } from "../protocol/json-scan.ts";
import { shapeFlaw } from "../protocol/json-shape.ts";
import { isEventStream } from "../protocol/media-type.ts";
import { takeApart, takeBytesApart } from "../protocol/raw-reply.ts";
import { excerpt } from "../secret-guard.ts";
import { decoderOf, isPlain, unknownCoding } from "./body-decoder.ts";
import { EventReader } from "./event-reader.ts";
import { broken, type HttpOutcome, type Reading } from "./http-outcome.ts";
import {
  type HttpConnection,
  type HttpPool,
  isFieldValue,
  type Requester,
  type ResponseHeaders,
} from "./http1/index.ts";

/** Largest answer that is kept in memory while it arrives. */
const maxAnswerBytes = 64 * 1024 * 1024;

/** Bodies above this are relayed as bytes; below it one string is cheaper. */
const largeBytes = 16 * 1024;

/** Whose exchange it is, and who is told of its end. */
export interface HttpExchangeOptions {
  readonly fleet: string;
  readonly origin: string;
  /** Of the request: only an answer with this id is taken. Undefined for what has no answer: a notification, a GET stream. */
  readonly id: number | undefined;
  /** Messages before the response. */
  readonly onMessage: (message: RpcMessage) => void;
  readonly resolve: (outcome: HttpOutcome) => void;
  readonly reject: (error: FleetError) => void;
  readonly reading: Reading;
  /** Whose connections it uses; with memory for large bodies. */
  readonly pool: Pick<HttpPool, "bodies" | "lend">;
}

const noHeaders: ResponseHeaders = {};
/** Messages that are held back until it is known whose they are; more are lost, as log lines may be. */
const maxHeld = 100;
/** First size of a body whose length is not known. */
const firstBytes = 32 * 1024;

/**
 * Reads the answer to one request of Streamable HTTP (2025-03-26 and later, basic/transports): a JSON body, or a stream of
 * events whose last one is the response. One object per call.
 */
export class HttpExchange implements Requester, Flow {
  readonly #options: HttpExchangeOptions;
  #connection: HttpConnection | undefined;
  #timer: NodeJS.Timeout | undefined;
  #over = false;
  #pauses = 0;
  #status = 0;
  #headers = noHeaders;
  #length: number | undefined;
  #text = "";
  #body: Buffer | undefined;
  #size = 0;
  #events: EventReader | undefined;
  /** Takes off the coding of a body that has one. */
  #decoder: Transform | undefined;
  #reply: RpcReply | undefined;
  /** Something has named this request: its stream is this call's. */
  #proven = false;
  #held: RpcMessage[] | undefined;
  #lastEventId: string | undefined;
  #retryMs: number | undefined;

  caller: string | undefined;
  choosy = false;

  constructor(options: HttpExchangeOptions) {
    this.#options = options;
  }

  /** Gives up when the call is cancelled or takes too long; `unsent` is asked to forget a request that waits. */
  watch(exchange: Exchange, timeoutMs: number, unsent: (requester: Requester) => void): void {
    this.caller = exchange.caller;
    this.choosy = this.#options.reading.mayAsk === true && canBeAsked(exchange.client?.capabilities);
    const expire = () => {
      const overtimeMs = exchange.overtimeMs();
      if (overtimeMs > 0) {
        this.#timer = setTimeout(expire, overtimeMs);
        return;
      }
      unsent(this);
      this.abort(exchange.expired(this.#options.fleet));
    };
    this.#timer = setTimeout(expire, timeoutMs);
    exchange.flow = this;
    exchange.onCancel(() => {
      unsent(this);
      this.abort(exchange.failure);
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
    this.#pauses += 1;
    if (this.#pauses === 1) this.#connection?.pause();
  }

  /** Nothing when it is over: the connection serves others then. */
  resume(): void {
    if (this.#pauses === 0) return;
    this.#pauses -= 1;
    if (this.#pauses === 0) this.#connection?.resume();
  }

  lend(): boolean {
    return this.#connection === undefined || this.#options.pool.lend(this.#connection);
  }

  #unpause(): void {
    if (this.#pauses === 0) return;
    this.#pauses = 0;
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
    const coding = headers["content-encoding"];
    if (coding !== undefined && !isPlain(coding)) this.#decode(coding);
    if (!isEventStream(headers["content-type"])) return;
    this.#events = new EventReader({
      onEvent: ({ id, data }) => {
        // An id that no header can have cannot be sent back: the stream cannot be resumed there.
        if (id !== undefined && isFieldValue(id)) this.#lastEventId = id;
        this.#take(data);
      },
      onRetry: (ms) => {
        this.#retryMs = ms;
      },
      onBroken: (problem) => {
        // A stream that is not read brings nothing: its client is slow.
        if (this.#over || this.#pauses > 0) return;
        this.abort(new FleetError("UPSTREAM_PROTOCOL", `${this.#options.fleet}: ${problem}`));
      },
    });
  }

  onData(chunk: Buffer): void {
    if (this.#over) return;
    // The buffer of the connection is used again before the decoder has read it.
    if (this.#decoder !== undefined) this.#decoder.write(Buffer.from(chunk));
    else this.#read(chunk);
  }

  onEnd(): void {
    if (this.#decoder !== undefined) this.#decoder.end();
    else this.#ended();
  }

  /** The rest of the answer is read as its decoder gives it. */
  #decode(coding: string): void {
    const { fleet, origin } = this.#options;
    this.#length = undefined;
    // It can be free before the decoder is done, and what this call does then must concern nobody else.
    this.#connection?.closeAfter();
    const decoder = decoderOf(coding);
    if (decoder === undefined) {
      this.abort(new FleetError("UPSTREAM_PROTOCOL", `${fleet}: ${origin} ${unknownCoding(excerpt(coding, 100))}`));
      return;
    }
    this.#decoder = decoder;
    decoder.on("data", (chunk: Buffer) => this.#over || this.#read(chunk));
    decoder.once("end", () => this.#ended());
    decoder.on("error", (error) => {
      const text = `${fleet}: the answer of ${origin} cannot be read as ${coding} (${error.message})`;
      this.abort(new FleetError("UPSTREAM_PROTOCOL", text));
    });
  }

  #read(chunk: Buffer): void {
    if (this.#events !== undefined) this.#events.push(chunk);
    else if (chunk.length === this.#length) this.#text = chunk.toString();
    else this.#keep(chunk);
  }

  #ended(): void {
    if (this.#over) return;
    const body = this.#body?.subarray(0, this.#size);
    const { id } = this.#options;
    const release = () => this.#release();
    const large =
      body !== undefined && body.length > largeBytes && id !== undefined
        ? takeBytesApart(body, id, release)
        : undefined;
    if (large !== undefined) {
      this.#reply = large;
      this.#settle("");
      return;
    }
    if (body !== undefined) {
      this.#text = body.toString();
      release();
    }
    if (this.#text !== "") this.#take(this.#text);
    const unanswered = this.#reply === undefined && id !== undefined;
    this.#settle(this.#text);
    // The answer may still come, and would be taken for that to the next request.
    if (unanswered) this.#connection?.close();
  }

  onError(error: Error): void {
    // The stream may be cut after the response came: that response counts.
    const resumable = this.#options.reading.resumable === true && this.#lastEventId !== undefined;
    if (this.#reply !== undefined || resumable) this.#settle("");
    else if (error instanceof FleetError) this.#fail(error);
    else this.#fail(broken(this.#options.fleet, this.#options.origin, error, this.#connection !== undefined));
  }

  #release(): void {
    if (this.#body !== undefined) this.#options.pool.bodies.giveBack(this.#body);
    this.#body = undefined;
  }

  /** Copies a part of a body; one whose length is known goes where it is to stay at once, another one where there is room. */
  #keep(chunk: Buffer): void {
    const before = this.#size;
    this.#size += chunk.length;
    if ((this.#length ?? this.#size) > maxAnswerBytes) {
      const text = `${this.#options.fleet}: the server's answer exceeds ${maxAnswerBytes} bytes`;
      this.abort(new FleetError("UPSTREAM_PROTOCOL", text));
      return;
    }
    const { bodies } = this.#options.pool;
    if (this.#body === undefined) this.#body = bodies.take(this.#length ?? Math.max(firstBytes, chunk.length));
    else if (this.#size > this.#body.length) {
      const larger = bodies.take(Math.max(this.#body.length * 2, this.#size));
      this.#body.copy(larger, 0, 0, before);
      bodies.giveBack(this.#body);
      this.#body = larger;
    }
    chunk.copy(this.#body, before);
  }

  /** False when it was over already. */
  #finish(): boolean {
    if (this.#over) return false;
    this.#over = true;
    this.#unpause();
    clearTimeout(this.#timer);
    this.#decoder?.destroy();
    this.#events?.close();
    return true;
  }

  #settle(text: string): void {
    if (!this.#finish()) return;
    const cut =
      this.#lastEventId === undefined ? undefined : { lastEventId: this.#lastEventId, retryMs: this.#retryMs };
    const foreign = this.#connection?.foreign === true;
    this.#options.resolve({ status: this.#status, headers: this.#headers, reply: this.#reply, text, foreign, cut });
    this.#forget();
  }

  /** The call can be remembered for longer than its answer is wanted. */
  #forget(): void {
    this.#text = "";
    this.#reply = undefined;
    this.#events = undefined;
    this.#held = undefined;
  }

  #fail(error: FleetError): void {
    if (!this.#finish()) return;
    this.#release();
    this.#forget();
    this.#options.reject(error);
  }

  /** Takes one message, or an array of them (2025-03-26, basic/transports), each by itself. */
  #take(said: string): void {
    const text = withoutMark(said);
    if (!text.startsWith("[")) {
      this.#takeOne(text);
      return;
    }
    const flaw = shapeFlaw(text);
    if (flaw === undefined) for (const one of elementTexts(text) ?? []) this.#takeOne(one);
    else {
      const problem = `${this.#options.fleet}: the server sent an array of messages that cannot be read: ${flaw}`;
      this.abort(new FleetError("UPSTREAM_PROTOCOL", problem));
    }
  }

  #takeOne(text: string): void {
    if (text === "" || this.#over) return;
    const raw = takeApart(text);
    if (raw !== undefined) {
      this.#replied(raw.id, raw.reply);
      return;
    }
    let message: RpcMessage;
    try {
      message = parseMessage(text);
    } catch (error) {
      if (this.#events !== undefined) this.#malformed(text, error);
      return;
    }
    if (isNotification(message)) this.#notified(message);
    else if (isRequest(message)) this.#options.onMessage(message);
    else this.#replied(memberText(text, "id"), replyOf(message));
  }

  /** An event that names this request, or none, and is no sound answer: the stream may stay open without another one. */
  #malformed(text: string, error: unknown): void {
    const { id, fleet } = this.#options;
    const said = memberText(text, "id");
    if (id === undefined || said === undefined || memberText(text, "method") !== undefined) return;
    if (said === "null" && this.#connection?.foreign !== true) {
      const problem = "the server answered with an error that names no request (its id is null)";
      this.abort(new FleetError("UPSTREAM_PROTOCOL", `${fleet}: ${problem}`));
    } else if (said === String(id)) {
      const flaw =
        error instanceof FleetError
          ? `${error.message}: ${excerpt(text, 200)}`
          : `the answer is not JSON (${text.length} characters)`;
      this.abort(new FleetError("UPSTREAM_PROTOCOL", `${fleet}: ${flaw}`));
    }
  }

  /** On a connection that has served another caller, a notification that names no call waits until one that does has come. */
  #notified(message: RpcNotification): void {
    if (!this.#proven && this.#connection?.foreign) {
      if (plainNumber(message.params?.progressToken) !== this.#options.id) {
        this.#held ??= [];
        if (this.#held.length < maxHeld) this.#held.push(message);
        return;
      }
      this.#prove();
    }
    this.#options.onMessage(message);
  }

  #prove(): void {
    this.#proven = true;
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const message of held) this.#options.onMessage(message);
  }

  /** Takes a response, by the text of its id. */
  #replied(said: string | undefined, reply: RpcReply): void {
    const { id, reading } = this.#options;
    // Errors of transports that know no request have an id of the server's own ("server-error"), like none at all.
    const ofNone = "error" in reply && this.#status >= 400 && said?.startsWith('"') === true;
    if (id === undefined || ofNone) {
      // A response that nobody asked for: what comes next on the connection could be anybody's.
      this.#connection?.closeAfter();
      return;
    }
    if (said !== String(id) || this.#reply !== undefined) {
      const what = this.#reply === undefined ? "the answer is not to the request" : "a request was answered twice";
      const text = `${this.#options.fleet}: ${what} (its JSON-RPC id); the connection to ${this.#options.origin} is closed`;
      this.abort(new FleetError("UPSTREAM_PROTOCOL", text));
      return;
    }
    if (this.#held !== undefined) this.#prove();
    this.#reply = reply;
    if (reading.untilReply !== true) return;
    this.#settle("");
    this.#connection?.close();
  }
}
