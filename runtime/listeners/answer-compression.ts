import type { OutgoingHttpHeaders, ServerResponse } from "node:http";
import { type Coding, codingFor, encodePayload } from "../performance/index.ts";

/** Bytes that are compressed at the same time; what comes beyond goes out as it is. */
const mostBytes = 32 * 1024 * 1024;

/** Compresses large answers of `/mcp` for clients that take it, on threads beside the event loop. */
export class AnswerCompression {
  /** Answers below are nobody's affair here. */
  readonly fromBytes: number;
  #bytes = 0;

  /** 0 compresses none. */
  constructor(compressFromBytes: number) {
    this.fromBytes = compressFromBytes === 0 ? Number.POSITIVE_INFINITY : compressFromBytes;
  }

  /** How an answer of this length goes out; undefined for as it is. */
  codingOf({ req }: ServerResponse, length: number): Coding | undefined {
    if (length < this.fromBytes || this.#bytes + length > mostBytes) return undefined;
    return codingFor(req.headers["accept-encoding"] as string | undefined);
  }

  /** Sends it, if the client is there still. */
  async send(response: ServerResponse, status: number, headers: OutgoingHttpHeaders, body: Buffer, coding: Coding) {
    this.#bytes += body.length;
    const coded = await encodePayload(body, coding).finally(() => {
      this.#bytes -= body.length;
    });
    if (response.destroyed) return;
    const about = { "content-encoding": coding, vary: "accept-encoding", "content-length": coded.length };
    response.writeHead(status, { ...headers, ...about }).end(coded);
  }
}
