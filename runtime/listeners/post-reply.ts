import type { ServerResponse } from "node:http";
import type { FleetError } from "../errors.ts";
import type { Coding } from "../performance/index.ts";
import type { NoticeStream } from "../protocol/client-session.ts";
import { encodeReply, type RequestId, type RpcReply } from "../protocol/json-rpc.ts";
import { RawReply } from "../protocol/raw-reply.ts";
import type { AnswerCompression } from "./answer-compression.ts";
import type { Answer } from "./target.ts";

/**
 * The answer to one POST of Streamable HTTP: plain JSON as long as the response is all there is to say, an event stream
 * from the first notification or comment on (basic/transports, "Sending Messages to the Server").
 */
export class PostReply implements Answer {
  readonly #response: ServerResponse;
  #headers: Readonly<Record<string, string>>;
  #refused: number | undefined;
  readonly #open: (() => NoticeStream) | undefined;
  readonly #json: boolean;
  readonly #compression: AnswerCompression | undefined;
  #stream: NoticeStream | undefined;
  #silent = false;

  /** `open` begins the event stream; undefined for a client that takes none. `json`: the client takes JSON. `compression`: of large answers; without it there is none. */
  constructor(
    response: ServerResponse,
    open: (() => NoticeStream) | undefined,
    json = true,
    headers: Record<string, string> = {},
    compression?: AnswerCompression,
  ) {
    this.#compression = compression;
    this.#response = response;
    this.#open = open;
    this.#json = json;
    this.#headers = headers;
  }

  /** Sends one message before the response. False when the client takes no event stream, or has gone. */
  send(message: string): boolean {
    const stream = this.#begun();
    if (stream === undefined) return false;
    stream.send(message);
    return true;
  }

  /** A pulse: the second one without a message begins the event stream, and each one from there on sends a comment. */
  keepAlive(): void {
    if (this.#stream === undefined && !this.#silent) this.#silent = true;
    else this.#begun()?.keepAlive();
  }

  get present(): boolean {
    return this.#stream === undefined ? !this.#response.destroyed : this.#stream.attached;
  }

  caughtUp(): Promise<void> | undefined {
    return this.#stream?.caughtUp?.();
  }

  headers(headers: Readonly<Record<string, string>>): void {
    this.#headers = { ...this.#headers, ...headers };
  }

  /** Only what challenges the client, or tells it when to come back, is said by HTTP: other errors are JSON-RPC's affair. */
  refused({ kind, headers }: FleetError): void {
    if (headers === undefined) return;
    this.#refused = kind.status;
    this.headers(headers);
  }

  /** Ends the answer with the reply to its request; a stream that has begun keeps its status. */
  end(id: RequestId, reply: RpcReply, status = 200): void {
    if (this.#stream === undefined && this.#json && reply instanceof RawReply && !this.#response.destroyed) {
      const bytes = reply.borrow();
      if (bytes !== undefined) {
        this.#endBytes(`{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":`, bytes, reply);
        return;
      }
    }
    this.endText(encodeReply(id, reply), this.#refused ?? status);
  }

  /** The same with a message, or several, already encoded. */
  endText(message: string, status = 200): void {
    // An error of HTTP has a body that nobody has to take (RFC 9110, section 12.5.1).
    const stream = this.#json || status !== 200 ? this.#stream : this.#begun();
    if (stream !== undefined) stream.end(message);
    else if (!this.#response.destroyed) {
      const length = Buffer.byteLength(message);
      const coding = this.#codingOf(length);
      if (coding !== undefined) {
        this.#endCoded(status, Buffer.from(message), coding);
        return;
      }
      this.#head(status, length);
      // Plain ASCII, the usual case, is written without being encoded.
      this.#response.end(message, length === message.length ? "latin1" : "utf8");
    }
  }

  /** The event stream, which begins now if it has not; undefined for a client that takes none, or has gone. */
  #begun(): NoticeStream | undefined {
    if (this.#stream !== undefined) return this.#stream;
    const response = this.#response;
    if (this.#open === undefined || response.writableEnded || response.destroyed) return undefined;
    for (const name in this.#headers) response.setHeader(name, this.#headers[name] as string);
    this.#stream = this.#open();
    return this.#stream;
  }

  /** A large result goes out as it came in. */
  #endBytes(head: string, rest: Buffer, reply: RawReply): void {
    const length = Buffer.byteLength(head) + rest.length;
    const coding = this.#codingOf(length);
    if (coding !== undefined) {
      this.#endCoded(200, Buffer.concat([Buffer.from(head), rest]), coding);
      // It was copied.
      reply.sent();
      return;
    }
    this.#head(200, length);
    this.#response.write(head);
    this.#response.end(rest);
    // Of a client that has gone the bytes may still lie in its socket: these are left to the garbage collector.
    this.#response.once("finish", () => reply.sent());
  }

  #codingOf(length: number): Coding | undefined {
    const compression = this.#compression;
    return compression === undefined || length < compression.fromBytes
      ? undefined
      : compression.codingOf(this.#response, length);
  }

  #endCoded(status: number, body: Buffer, coding: Coding): void {
    const headers = { "content-type": "application/json", ...this.#headers };
    const sent = this.#compression?.send(this.#response, status, headers, body, coding);
    sent?.catch(() => this.#response.destroy());
  }

  #head(status: number, length: number): void {
    this.#response.writeHead(status, {
      "content-type": "application/json",
      "content-length": length,
      ...this.#headers,
    });
  }
}
