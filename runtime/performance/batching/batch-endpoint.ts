import { shownAddress } from "../../config/shown-source.ts";
import { FleetError, messageOf } from "../../errors.ts";
import {
  encodeNotification,
  encodeRequest,
  isNotification,
  isRequest,
  type Params,
  parseMessage,
  type RpcReply,
  replyOf,
} from "../../protocol/json-rpc.ts";
import { elementTexts, memberText } from "../../protocol/json-scan.ts";
import { maxValues, valuesIn } from "../../protocol/json-shape.ts";
import { RequestIds } from "../../protocol/request-ids.ts";
import { EventReader } from "../../upstreams/event-reader.ts";
import { FetchPool } from "../../upstreams/fetch-pool.ts";
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
  /** Of all requests to the same server. Defaults to ids of its own. */
  readonly ids?: RequestIds;
  /** Sends its requests. Defaults to connections of its own. */
  readonly connections?: Pick<FetchPool, "fetch" | "renew">;
}

/** Largest answer to a batch, in bytes: that of one call, for a batch of fifty answers with a megabyte each. */
const maxAnswerBytes = 64 * 1024 * 1024;

/** Bodies go compressed only to servers that name a coding in `Accept-Encoding` of an answer (RFC 9110, 12.5.3). */
export class BatchEndpoint implements BatchUpstream {
  readonly #options: BatchEndpointOptions;
  readonly #abort = new AbortController();
  readonly #session: Record<string, string> = {};
  readonly #ids: RequestIds;
  readonly #connections: Pick<FetchPool, "fetch" | "renew">;
  #coding: Coding | undefined;

  constructor(options: BatchEndpointOptions) {
    this.#options = options;
    this.#ids = options.ids ?? new RequestIds();
    this.#connections = options.connections ?? new FetchPool();
  }

  /** An answer is for the call whose id it has; a batch with an answer to another one, or with two to one, fails whole. */
  async send(calls: readonly BatchedCall[]): Promise<void> {
    const ids = calls.map(() => this.#ids.next());
    const body = JSON.stringify(
      calls.map(({ method, params }, index) => ({ jsonrpc: "2.0", id: ids[index], method, params })),
    );
    try {
      const replies = await this.#exchange(body, ids, Math.max(...calls.map(({ timeoutMs }) => timeoutMs)));
      for (const [index, call] of calls.entries()) {
        const reply = replies.get(String(ids[index]));
        if (reply === undefined) call.reject(this.#unanswered("a call of the batch"));
        else call.resolve(reply);
      }
    } catch (error) {
      for (const call of calls) call.reject(error);
    }
  }

  /** Sends one request by itself, not in an array. */
  async ask(method: string, params: Params, timeoutMs: number): Promise<RpcReply> {
    const id = this.#ids.next();
    const reply = (await this.#exchange(encodeRequest(id, method, params), [id], timeoutMs)).get(String(id));
    if (reply === undefined) throw this.#unanswered("a request");
    return reply;
  }

  /** Sends a notification. */
  async tell(method: string, params: Params | undefined, timeoutMs: number): Promise<void> {
    await this.#exchange(encodeNotification(method, params), [], timeoutMs);
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
    if (this.#options.connections === undefined) this.#connections.renew();
  }

  async #exchange(body: string, ids: readonly number[], timeoutMs: number): Promise<Map<string, RpcReply>> {
    const { name, url } = this.#options;
    const signal = AbortSignal.any([this.#abort.signal, AbortSignal.timeout(timeoutMs)]);
    let response: Response;
    let bytes: Buffer;
    try {
      response = await this.#post(body, signal);
      bytes = await this.#bytesOf(response);
    } catch (error) {
      if (error instanceof FleetError) throw error;
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
    // What the server says is not shown: on a connection that is used again it could be about somebody else.
    if (!response.ok) throw this.#wrong(`answered HTTP ${response.status}`);
    return this.#read(bytes, ids, response.headers.get("content-type") ?? "");
  }

  async #bytesOf(response: Response): Promise<Buffer> {
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of response.body ?? []) {
      size += chunk.length;
      // Leaving the loop closes the connection.
      if (size > maxAnswerBytes) throw this.#wrong(`answered with more than ${maxAnswerBytes} bytes`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  }

  async #post(body: string, signal: AbortSignal): Promise<Response> {
    const { url, compressFrom, headers: given } = this.#options;
    const ask = this.#connections.fetch;
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

  #read(bytes: Buffer, ids: readonly number[], mediaType: string): Map<string, RpcReply> {
    const open = new Set(ids.map(String));
    let values = 0;
    const replies = new Map<string, RpcReply>();
    const take = (text: string) => {
      const message = parseMessage(text);
      if (isRequest(message) || isNotification(message)) return;
      const id = memberText(text, "id");
      if (id === undefined || !open.delete(id))
        throw new Error("an answer is to no request of the batch, or the second");
      replies.set(id, replyOf(message));
    };
    const takeAll = (text: string) => {
      // All of them are read in one go, while nobody else is served.
      values += valuesIn(text);
      if (values > maxValues) throw new Error(`the answers have more than ${maxValues} values`);
      for (const one of elementTexts(text) ?? [text]) take(one);
    };
    let problem: unknown;
    const onEvent = ({ data }: { readonly data: string }) => {
      try {
        if (data !== "" && problem === undefined) takeAll(data);
      } catch (error) {
        problem ??= error;
      }
    };
    try {
      if (mediaType.startsWith("text/event-stream")) {
        const events = new EventReader({ onEvent, onBroken: () => {} });
        events.push(bytes);
        events.push(Buffer.from("\n\n"));
      } else if (bytes.length > 0) takeAll(bytes.toString());
      if (problem !== undefined) throw problem;
    } catch (error) {
      // Words of the parser quote the text.
      const why = error instanceof SyntaxError ? "it is not JSON" : messageOf(error);
      this.#connections.renew();
      throw this.#wrong(`answered no JSON-RPC: ${why}`);
    }
    return replies;
  }

  /** The answer may still come, and would be taken for that to the next batch of its connection. */
  #unanswered(what: string): FleetError {
    this.#connections.renew();
    return this.#wrong(`has left ${what} without an answer`);
  }

  #wrong(what: string): FleetError {
    return new FleetError("UPSTREAM_PROTOCOL", `${this.#options.name}: ${shownAddress(this.#options.url)} ${what}`);
  }
}
