import type { Readable, Writable } from "node:stream";
import { FleetError, messageOf } from "../errors.ts";
import { keyOf } from "../protocol/exact-number.ts";
import {
  encodeNotification,
  encodeReply,
  encodeRequest,
  errorReply,
  isRequest,
  parseMessages,
  type RequestId,
  type RpcRequest,
} from "../protocol/json-rpc.ts";
import { asLine } from "../protocol/line-text.ts";
import type { DuplexLink } from "../upstreams/duplex-connector.ts";
import { LineReader } from "../upstreams/line-reader.ts";
import { gatewayUrl, urlFix } from "./gateway-url.ts";

export interface StdioForwarderOptions {
  readonly input: Readable;
  readonly output: Writable;
  /** Opens a link to the gateway; each of its messages goes to `receive`. */
  readonly open: (receive: (message: string) => void) => Promise<DuplexLink>;
  /** Milliseconds between two attempts to reach a gateway that has gone. */
  readonly retryMs: number;
}

/** Messages that wait for a gateway that is away, and their characters in all; further ones are refused. */
const maxWaiting = 1000;
const maxWaitingLength = 16 * 1024 * 1024;

/** Id of the `initialize` that opens the session again; its answer is not the client's. */
const reopening = "mcp-fleet-reopen";

/**
 * A client's standard streams on one side, a gateway on the other, for clients which speak only stdio. When the gateway
 * comes back after a restart, the session is opened again with the client's own parameters; calls that were in flight
 * are answered with an error that says to call again.
 */
export class StdioForwarder {
  readonly #options: StdioForwarderOptions;
  /** Ids of requests, by their keys. */
  readonly #inFlight = new Map<unknown, RequestId>();
  #link: DuplexLink | undefined;
  #waiting: string[] = [];
  #waitingLength = 0;
  #initialize: RpcRequest | undefined;
  #over = false;

  constructor(options: StdioForwarderOptions) {
    this.#options = options;
  }

  /** Resolves when the client closes its side. Rejects when the gateway cannot be reached at first. */
  async run(): Promise<void> {
    await this.#connect();
    const lines = new LineReader(
      (line) => this.#fromClient(line),
      () => this.#options.input.destroy(),
    );
    this.#options.input.on("data", (chunk: Buffer) => lines.push(chunk));
    await new Promise((resolve) => this.#options.input.once("close", resolve).once("end", resolve));
    this.#over = true;
    await this.#link?.close();
  }

  #fromClient(line: string): void {
    try {
      const message = parseMessages(line);
      for (const one of [message].flat()) {
        if (!isRequest(one)) continue;
        this.#inFlight.set(keyOf(one.id), one.id);
        if (one.method === "initialize") this.#initialize = one;
      }
    } catch (error) {
      this.#toClient(encodeReply(null, errorReply(error)));
      return;
    }
    if (this.#link === undefined) this.#wait(line);
    else this.#link.send(line);
  }

  /** Keeps a message until the gateway is back; one too many is answered. */
  #wait(line: string): void {
    if (this.#waiting.length < maxWaiting && this.#waitingLength + line.length <= maxWaitingLength) {
      this.#waiting.push(line);
      this.#waitingLength += line.length;
      return;
    }
    const text = "the gateway is away, and too many messages wait for it already; call again later";
    for (const one of [parseMessages(line)].flat()) {
      if (!isRequest(one)) continue;
      this.#inFlight.delete(keyOf(one.id));
      this.#toClient(encodeReply(one.id, errorReply(new FleetError("INSTANCE_LOST", text))));
    }
  }

  #fromGateway(text: string): void {
    for (const one of [parseMessages(text, Number.POSITIVE_INFINITY)].flat()) {
      if ("method" in one) continue;
      if (one.id === reopening) return;
      this.#inFlight.delete(keyOf(one.id));
    }
    this.#toClient(text);
  }

  #toClient(text: string): void {
    this.#options.output.write(asLine(text));
  }

  async #connect(): Promise<void> {
    const link = await this.#options.open((text) => this.#fromGateway(text));
    this.#link = link;
    void link.ended.then((reason) => this.#lost(messageOf(reason)));
  }

  async #lost(reason: string): Promise<void> {
    this.#link = undefined;
    if (this.#over) return;
    const error = new FleetError("INSTANCE_LOST", `the connection to the gateway was lost (${reason}); call again`);
    for (const id of this.#inFlight.values()) this.#toClient(encodeReply(id, errorReply(error)));
    this.#inFlight.clear();
    while (!this.#over && this.#link === undefined) {
      await new Promise((resolve) => setTimeout(resolve, this.#options.retryMs));
      await this.#connect().catch(() => {});
    }
    this.#reopen();
  }

  #reopen(): void {
    if (this.#initialize !== undefined) {
      const { method, params } = this.#initialize;
      this.#link?.send(encodeRequest(reopening, method, params));
      this.#link?.send(encodeNotification("notifications/initialized"));
    }
    this.#waitingLength = 0;
    for (const line of this.#waiting.splice(0)) this.#link?.send(line);
  }
}

/** The gateway's WebSocket path beside an MCP path: `/mcp` → `/ws`, `/mcp/docs` → `/ws/docs`. Throws CONFIG_INVALID. */
export function webSocketUrl(text: string): URL {
  const url = gatewayUrl(text);
  const path = /^\/(?:mcp|ws)?(\/[^/]+)?\/?$/.exec(url.pathname);
  if (path === null || !/^https?:|^wss?:/.test(url.protocol)) {
    throw new FleetError("CONFIG_INVALID", `--url: "${text}" is no MCP path of a gateway; ${urlFix}`);
  }
  url.protocol = /^(https|wss):/.test(url.protocol) ? "wss:" : "ws:";
  url.pathname = `/ws${path[1] ?? ""}`;
  return url;
}
