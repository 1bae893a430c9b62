import type { Dispatcher } from "undici";
import { FleetError } from "../errors.ts";
import type { Exchange } from "../protocol/exchange.ts";
import type { RpcMessage } from "../protocol/json-rpc.ts";
import { HttpExchange, type HttpOutcome, type Reading } from "./http-exchange.ts";
import { pause } from "./stream-pause.ts";

export interface HttpEndpointOptions {
  readonly fleet: string;
  readonly url: URL;
  readonly dispatcher: Dispatcher;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
}

type Headers = Readonly<Record<string, string>>;
/** Errors of undici and of sockets that mean: no byte of the request has gone out. */
const unreachable = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "UND_ERR_CONNECT_TIMEOUT"]);
const closeTimeoutMs = 2000;

/** One URL of Streamable HTTP over pooled connections, whatever era its server is of. */
export class HttpEndpoint {
  readonly #options: HttpEndpointOptions;
  readonly #path: string;

  constructor(options: HttpEndpointOptions) {
    this.#options = options;
    this.#path = options.url.pathname + options.url.search;
  }

  get origin(): string {
    return this.#options.url.origin;
  }

  /** Sends one message and reads the whole answer; the messages before the response go to `onMessage`. */
  post(
    body: string,
    headers: Headers,
    exchange: Exchange,
    onMessage: (message: RpcMessage) => void,
  ): Promise<HttpOutcome> {
    return this.#ask("POST", body, headers, exchange, onMessage);
  }

  /**
   * The same for a server of the session era, which may close the stream of a call before its response and be asked for
   * the rest (2025-11-25, basic/transports, "Resumability and Redelivery"; SEP-1699).
   */
  async postResumable(
    body: string,
    headers: Headers,
    exchange: Exchange,
    onMessage: (message: RpcMessage) => void,
  ): Promise<HttpOutcome> {
    const { now } = this.#options;
    const deadline = now() + exchange.timeoutMs;
    let outcome = await this.#ask("POST", body, headers, exchange, onMessage, { resumable: true });
    while (outcome.reply === undefined && outcome.cut !== undefined && outcome.status === 200) {
      await pause(outcome.cut, exchange);
      const resuming = { ...headers, accept: "text/event-stream", "last-event-id": outcome.cut.lastEventId };
      const reading = { resumable: true, untilReply: true };
      const leftMs = Math.max(deadline - now(), 1);
      outcome = await this.#ask("GET", undefined, resuming, exchange, onMessage, reading, leftMs);
    }
    return outcome;
  }

  #ask(
    method: "GET" | "POST",
    body: string | undefined,
    headers: Headers,
    exchange: Exchange,
    onMessage: (message: RpcMessage) => void,
    reading?: Reading,
    timeoutMs = exchange.timeoutMs,
  ): Promise<HttpOutcome> {
    return new Promise((resolve, reject) => {
      const settle = new HttpExchange(
        onMessage,
        (outcome) => {
          clearTimeout(timer);
          resolve(outcome);
        },
        (error) => {
          clearTimeout(timer);
          reject(error instanceof FleetError ? error : this.#broken(error));
        },
        reading,
      );
      const expire = () => {
        if (exchange.client?.asked) {
          timer = setTimeout(expire, exchange.timeoutMs);
          return;
        }
        const fix = "raise timeouts.requestMs of this server, or ask for less in one call";
        const text = `${this.#options.fleet}: no answer within ${exchange.timeoutMs} ms; ${fix}`;
        settle.abort(new FleetError("REQUEST_TIMEOUT", text));
      };
      let timer = setTimeout(expire, timeoutMs);
      exchange.onCancel((reason) => settle.abort(new FleetError("CANCELLED", `cancelled by the client: ${reason}`)));
      this.#dispatch(method, headers, body, settle);
    });
  }

  /** Opens an event stream that stays open: with GET, or with POST and a body. Resolves when the server ends it. */
  stream(
    headers: Headers,
    body: string | undefined,
    onMessage: (message: RpcMessage) => void,
  ): { readonly ended: Promise<HttpOutcome>; close(): void } {
    const ended = Promise.withResolvers<HttpOutcome>();
    const settle = new HttpExchange(onMessage, ended.resolve, ended.reject, { resumable: true });
    this.#dispatch(body === undefined ? "GET" : "POST", headers, body, settle);
    return { ended: ended.promise, close: () => settle.abort(new FleetError("CANCELLED", "closed")) };
  }

  /** Tells the server that a session is over; what it answers does not matter. */
  async delete(headers: Headers): Promise<void> {
    const { dispatcher } = this.#options;
    const options = { origin: this.origin, path: this.#path, method: "DELETE" as const, headers };
    await dispatcher
      .request({ ...options, headersTimeout: closeTimeoutMs })
      .then((response) => response.body.dump())
      .catch(() => {});
  }

  #dispatch(method: "GET" | "POST", headers: Headers, body: string | undefined, handler: HttpExchange): void {
    const options = { origin: this.origin, path: this.#path, method, headers, headersTimeout: 0, bodyTimeout: 0 };
    this.#options.dispatcher.dispatch(body === undefined ? options : { ...options, body }, handler);
  }

  #broken(error: Error): FleetError {
    const { fleet } = this.#options;
    const code = String((error as NodeJS.ErrnoException).code ?? "");
    const reason = error.message === "" ? code : error.message;
    return unreachable.has(code)
      ? new FleetError(
          "UPSTREAM_UNREACHABLE",
          `${fleet}: ${this.origin} cannot be reached (${reason}); is the server up?`,
          {
            cause: error,
          },
        )
      : new FleetError(
          "INSTANCE_LOST",
          `${fleet}: the connection to ${this.origin} broke during the call (${reason}); call again`,
          {
            cause: error,
          },
        );
  }
}
