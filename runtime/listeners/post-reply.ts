import type { ServerResponse } from "node:http";
import type { FleetError } from "../errors.ts";
import type { NoticeStream } from "../protocol/client-session.ts";
import { encodeReply, type RequestId, type RpcReply } from "../protocol/json-rpc.ts";
import { RawReply } from "../protocol/raw-reply.ts";
import type { Answer } from "./target.ts";

/**
 * The answer to one POST of Streamable HTTP: plain JSON as long as the response is all there is to say, an event stream
 * from the first notification on (basic/transports, "Sending Messages to the Server").
 */
export class PostReply implements Answer {
  readonly #response: ServerResponse;
  #headers: Readonly<Record<string, string>>;
  #refused: number | undefined;
  readonly #open: (() => NoticeStream) | undefined;
  #stream: NoticeStream | undefined;

  /** `open` begins the event stream; undefined for a client that takes none. */
  constructor(response: ServerResponse, open: (() => NoticeStream) | undefined, headers: Record<string, string> = {}) {
    this.#response = response;
    this.#open = open;
    this.#headers = headers;
  }

  /** Sends one message before the response. False when the client takes no event stream, or has gone. */
  send(message: string): boolean {
    if (this.#stream === undefined) {
      if (this.#open === undefined || this.#response.writableEnded || this.#response.destroyed) return false;
      this.#stream = this.#open();
    }
    this.#stream.send(message);
    return true;
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
    if (this.#stream === undefined && reply instanceof RawReply && !this.#response.destroyed) {
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
    if (this.#stream !== undefined) this.#stream.end(message);
    else if (!this.#response.destroyed) {
      const length = Buffer.byteLength(message);
      this.#head(status, length);
      // Plain ASCII, the usual case, is written without being encoded.
      this.#response.end(message, length === message.length ? "latin1" : "utf8");
    }
  }

  /** A large result goes out as it came in. */
  #endBytes(head: string, rest: Buffer, reply: RawReply): void {
    this.#head(200, Buffer.byteLength(head) + rest.length);
    this.#response.write(head);
    this.#response.end(rest);
    // Of a client that has gone the bytes may still lie in its socket: these are left to the garbage collector.
    this.#response.once("finish", () => reply.sent());
  }

  #head(status: number, length: number): void {
    this.#response.writeHead(status, {
      "content-type": "application/json",
      "content-length": length,
      ...this.#headers,
    });
  }
}
