import { createParser } from "eventsource-parser";
import { shownAddress } from "../../config/shown-source.ts";
import { FleetError, messageOf } from "../../errors.ts";
import {
  checkMessage,
  encodeNotification,
  encodeRequest,
  isNotification,
  isRequest,
  type Params,
  type RpcReply,
  replyOf,
} from "../../protocol/json-rpc.ts";
import { excerpt } from "../../secret-guard.ts";
import type { Fetch } from "../../upstreams/upstream-tls.ts";
import { type Coding, codingFor, codings, encodePayload } from "../payload-coding.ts";
import type { BatchedCall, BatchUpstream } from "./batcher.ts";

/** Redirects are not followed: calls of many would go where nobody has configured them to go. */
const sent = { method: "POST", redirect: "manual" } as const;

export interface BatchEndpointOptions {
  /** For messages, such as `context7`. */
  readonly name: string;
  /** Takes JSON-RPC arrays: `/batch` of a server host, or an MCP endpoint of revision 2025-03-26. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Bodies from so many bytes on are compressed, once the server has said what it takes. Undefined never. */
  readonly compressFrom: number | undefined;
  /** Sends its requests. Defaults to the global `fetch`. */
  readonly ask?: Fetch;
}

/** Bodies go compressed only to servers that name a coding in `Accept-Encoding` of an answer (RFC 9110, 12.5.3). */
export class BatchEndpoint implements BatchUpstream {
  readonly #options: BatchEndpointOptions;
  readonly #abort = new AbortController();
  readonly #session: Record<string, string> = {};
  #coding: Coding | undefined;
  #lastId = 0;

  constructor(options: BatchEndpointOptions) {
    this.#options = options;
  }

  async send(calls: readonly BatchedCall[]): Promise<void> {
    const first = this.#lastId + 1;
    this.#lastId += calls.length;
    const body = JSON.stringify(
      calls.map(({ method, params }, index) => ({ jsonrpc: "2.0", id: first + index, method, params })),
    );
    try {
      const replies = await this.#exchange(body, Math.max(...calls.map(({ timeoutMs }) => timeoutMs)));
      for (const [index, call] of calls.entries()) {
        const reply = replies.get(first + index);
        if (reply === undefined) call.reject(this.#wrong("has left a call of the batch without an answer"));
        else call.resolve(reply);
      }
    } catch (error) {
      for (const call of calls) call.reject(error);
    }
  }

  /** Sends one request by itself, not in an array. */
  async ask(method: string, params: Params, timeoutMs: number): Promise<RpcReply> {
    this.#lastId += 1;
    const reply = (await this.#exchange(encodeRequest(this.#lastId, method, params), timeoutMs)).get(this.#lastId);
    if (reply === undefined) throw this.#wrong("has left a request without an answer");
    return reply;
  }

  /** Sends a notification. */
  async tell(method: string, params: Params | undefined, timeoutMs: number): Promise<void> {
    await this.#exchange(encodeNotification(method, params), timeoutMs);
  }

  /** What every request carries from now on: the session's id and revision. */
  carry(headers: Readonly<Record<string, string>>): void {
    Object.assign(this.#session, headers);
  }

  /** Of the last session that the server has opened. */
  get sessionId(): string | undefined {
    return this.#session["mcp-session-id"];
  }

  async close(): Promise<void> {
    this.#abort.abort();
  }

  async #exchange(body: string, timeoutMs: number): Promise<Map<unknown, RpcReply>> {
    const { name, url } = this.#options;
    const signal = AbortSignal.any([this.#abort.signal, AbortSignal.timeout(timeoutMs)]);
    let response: Response;
    let text: string;
    try {
      response = await this.#post(body, signal);
      text = await response.text();
    } catch (error) {
      if (this.#abort.signal.aborted) throw new FleetError("DRAINING", `${name}: the batching engine is closed`);
      if (signal.aborted) throw new FleetError("REQUEST_TIMEOUT", `${name}: no answer within ${timeoutMs} ms`);
      const why = messageOf((error as { cause?: unknown }).cause ?? error);
      throw new FleetError(
        "UPSTREAM_UNREACHABLE",
        `${name}: ${shownAddress(url)} cannot be reached (${why}); is the server up?`,
        {
          cause: error,
        },
      );
    }
    this.#coding = codingFor(response.headers.get("accept-encoding"));
    if (response.status === 404 && this.sessionId !== undefined) {
      throw new FleetError("UPSTREAM_SESSION_EXPIRED", `${name}: the server no longer knows the session; call again`);
    }
    const opened = response.headers.get("mcp-session-id");
    if (opened !== null) this.carry({ "mcp-session-id": opened });
    if (!response.ok) throw this.#wrong(`answered HTTP ${response.status}: ${excerpt(text, 200)}`);
    return this.#read(text, response.headers.get("content-type") ?? "");
  }

  async #post(body: string, signal: AbortSignal): Promise<Response> {
    const { url, compressFrom, headers: given, ask = fetch } = this.#options;
    const headers = {
      ...{ "content-type": "application/json", accept: "application/json, text/event-stream" },
      "accept-encoding": codings.join(", "),
      ...given,
      ...this.#session,
    };
    const coding = compressFrom === undefined || body.length < compressFrom ? undefined : this.#coding;
    if (coding === undefined) return ask(url, { ...sent, headers, body, signal });
    const bytes = new Uint8Array(await encodePayload(body, coding));
    const encoded = { ...headers, "content-encoding": coding };
    const response = await ask(url, { ...sent, headers: encoded, body: bytes, signal });
    if (response.status !== 415) return response;
    // It has changed its mind.
    await response.body?.cancel();
    return ask(url, { ...sent, headers, body, signal });
  }

  #read(text: string, mediaType: string): Map<unknown, RpcReply> {
    const replies = new Map<unknown, RpcReply>();
    const take = (value: unknown) => {
      for (const one of Array.isArray(value) ? value : [value]) {
        const message = checkMessage(one);
        if (!isRequest(message) && !isNotification(message)) replies.set(message.id, replyOf(message));
      }
    };
    try {
      if (mediaType.startsWith("text/event-stream")) {
        const parser = createParser({ onEvent: ({ data }) => take(JSON.parse(data)) });
        parser.feed(`${text}\n\n`);
      } else if (text !== "") take(JSON.parse(text));
    } catch (error) {
      throw this.#wrong(`answered no JSON-RPC: ${messageOf(error)}`);
    }
    return replies;
  }

  #wrong(what: string): FleetError {
    return new FleetError("UPSTREAM_PROTOCOL", `${this.#options.name}: ${shownAddress(this.#options.url)} ${what}`);
  }
}
