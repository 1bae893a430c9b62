import type { Dispatcher } from "undici";
import { FleetError } from "../errors.ts";
import type { Exchange } from "../protocol/exchange.ts";
import type { RpcMessage } from "../protocol/json-rpc.ts";
import { HttpExchange, type HttpOutcome } from "./http-exchange.ts";

export interface HttpEndpointOptions {
  readonly fleet: string;
  readonly url: URL;
  readonly dispatcher: Dispatcher;
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
      let timer = setTimeout(expire, exchange.timeoutMs);
      exchange.onCancel((reason) => settle.abort(new FleetError("CANCELLED", `cancelled by the client: ${reason}`)));
      this.#dispatch("POST", headers, body, settle);
    });
  }

  /** Opens an event stream that stays open: with GET, or with POST and a body. Resolves when the server ends it. */
  stream(
    headers: Headers,
    body: string | undefined,
    onMessage: (message: RpcMessage) => void,
  ): { readonly ended: Promise<HttpOutcome>; close(): void } {
    const ended = Promise.withResolvers<HttpOutcome>();
    const settle = new HttpExchange(onMessage, ended.resolve, ended.reject);
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
