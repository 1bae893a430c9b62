import { StringDecoder } from "node:string_decoder";
import { createParser, type EventSourceParser } from "eventsource-parser";
import type { Dispatcher } from "undici";
import { FleetError } from "../errors.ts";
import {
  checkMessage,
  isNotification,
  isRequest,
  type RpcMessage,
  type RpcReply,
  replyOf,
} from "../protocol/json-rpc.ts";

/** Largest answer that is kept in memory while it arrives. */
const maxAnswerBytes = 64 * 1024 * 1024;

/** What one POST came to. `reply` is absent when the server only took a notification (202). */
export interface HttpOutcome {
  readonly status: number;
  readonly sessionId: string | undefined;
  readonly reply: RpcReply | undefined;
  /** Text of an answer that is no JSON-RPC message, for error messages. */
  readonly text: string;
}

/**
 * Reads the answer to one POST of Streamable HTTP (2025-03-26 and later, basic/transports): a JSON body, or a stream of
 * events whose last one is the response. One object per call, on undici's own handler interface: no fetch, no streams.
 */
export class HttpExchange implements Dispatcher.DispatchHandler {
  readonly #onMessage: (message: RpcMessage) => void;
  readonly #resolve: (outcome: HttpOutcome) => void;
  readonly #reject: (error: FleetError | Error) => void;
  #controller: Dispatcher.DispatchController | undefined;
  #aborted: Error | undefined;
  #status = 0;
  #sessionId: string | undefined;
  #chunks: Buffer[] = [];
  #size = 0;
  #events: EventSourceParser | undefined;
  #decoder: StringDecoder | undefined;
  #reply: RpcReply | undefined;

  constructor(
    onMessage: (message: RpcMessage) => void,
    resolve: (outcome: HttpOutcome) => void,
    reject: (error: FleetError | Error) => void,
  ) {
    this.#onMessage = onMessage;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** Closes the connection under a call that nobody waits for any more. */
  abort(error: Error): void {
    this.#aborted = error;
    if (this.#controller === undefined) this.#reject(error);
    else this.#controller.abort(error);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#aborted !== undefined) controller.abort(this.#aborted);
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    this.#status = status;
    const sessionId = headers["mcp-session-id"];
    this.#sessionId = typeof sessionId === "string" ? sessionId : undefined;
    if (!String(headers["content-type"]).startsWith("text/event-stream")) return;
    this.#decoder = new StringDecoder("utf8");
    this.#events = createParser({ onEvent: (event) => this.#take(event.data) });
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#events !== undefined) {
      this.#events.feed((this.#decoder as StringDecoder).write(chunk));
      return;
    }
    this.#size += chunk.length;
    if (this.#size > maxAnswerBytes) {
      controller.abort(new FleetError("UPSTREAM_PROTOCOL", `the server's answer exceeds ${maxAnswerBytes} bytes`));
      return;
    }
    this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    const text = this.#events === undefined ? Buffer.concat(this.#chunks).toString("utf8") : "";
    if (text !== "") this.#take(text);
    this.#resolve({ status: this.#status, sessionId: this.#sessionId, reply: this.#reply, text });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    // The stream may be cut after the response came: that response counts.
    if (this.#reply !== undefined && this.#aborted === undefined) {
      this.#resolve({ status: this.#status, sessionId: this.#sessionId, reply: this.#reply, text: "" });
    } else this.#reject(this.#aborted ?? error);
  }

  #take(text: string): void {
    if (text === "") return;
    let message: RpcMessage;
    try {
      message = checkMessage(JSON.parse(text));
    } catch {
      return;
    }
    if (isRequest(message) || isNotification(message)) this.#onMessage(message);
    else this.#reply = replyOf(message);
  }
}
