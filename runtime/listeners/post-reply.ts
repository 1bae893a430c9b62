import type { ServerResponse } from "node:http";
import type { NoticeStream } from "../protocol/client-session.ts";
import type { Answer } from "./target.ts";

/**
 * The answer to one POST of Streamable HTTP: plain JSON as long as the response is all there is to say, an event stream
 * from the first notification on (basic/transports, "Sending Messages to the Server").
 */
export class PostReply implements Answer {
  readonly #response: ServerResponse;
  readonly #headers: Record<string, string>;
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

  /** Ends the answer with its last message; a stream that has begun keeps its status. */
  end(message: string, status = 200): void {
    if (this.#stream !== undefined) this.#stream.end(message);
    else if (!this.#response.destroyed) {
      this.#response.writeHead(status, {
        "content-type": "application/json",
        "content-length": Buffer.byteLength(message),
        ...this.#headers,
      });
      this.#response.end(message);
    }
  }
}
