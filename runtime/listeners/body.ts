import { isUtf8 } from "node:buffer";
import type { IncomingMessage } from "node:http";
import { FleetError } from "../errors.ts";
import { IncomingRequest } from "./incoming-request.ts";

/**
 * Reads a request's body as UTF-8: at once when it has come whole. Throws or rejects with BODY_TOO_LARGE past `maxBytes`,
 * without keeping the rest, and with PARSE_ERROR for bytes that are no UTF-8 (RFC 8259, section 8.1): nothing is replaced
 * silently.
 */
export function readBody(request: IncomingMessage, maxBytes: number): string | Promise<string> {
  const text = request instanceof IncomingRequest ? request.text : undefined;
  if (text !== undefined) {
    if (Buffer.byteLength(text) > maxBytes) throw tooLarge(maxBytes);
    return text;
  }
  return new Promise((resolve, reject) => {
    const done = (body: Buffer) => {
      if (isUtf8(body)) resolve(body.toString("utf8"));
      else reject(new FleetError("PARSE_ERROR", "the body is not UTF-8; send one JSON-RPC message encoded as UTF-8"));
    };
    const late =
      !(request instanceof IncomingRequest) || !request.collect(maxBytes, done, reject, () => tooLarge(maxBytes));
    if (late) readStream(request, maxBytes, done, reject);
  });
}

/** The same of a stream of which parts have come, or of another process. */
function readStream(
  request: IncomingMessage,
  maxBytes: number,
  done: (body: Buffer) => void,
  failed: (error: Error) => void,
): void {
  const chunks: Buffer[] = [];
  let size = 0;
  request.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size <= maxBytes) chunks.push(chunk);
    else failed(tooLarge(maxBytes));
  });
  request.on("end", () => {
    if (size <= maxBytes) done(Buffer.concat(chunks));
  });
  request.on("error", failed);
}

function tooLarge(maxBytes: number): FleetError {
  return new FleetError(
    "BODY_TOO_LARGE",
    `the body exceeds ${maxBytes} bytes; raise gateway.maxBodyBytes or send less`,
  );
}
