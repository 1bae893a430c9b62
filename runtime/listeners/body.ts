import { isUtf8 } from "node:buffer";
import type { IncomingMessage } from "node:http";
import { FleetError } from "../errors.ts";

/**
 * Reads a request's body as UTF-8. Rejects with BODY_TOO_LARGE past `maxBytes`, without keeping the rest, and with
 * PARSE_ERROR for bytes that are no UTF-8 (RFC 8259, section 8.1): nothing is replaced silently.
 */
export function readBody(request: IncomingMessage, maxBytes: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxBytes) chunks.push(chunk);
      else reject(tooLarge(maxBytes));
    });
    request.on("end", () => {
      const body = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
      if (isUtf8(body)) resolve(body.toString("utf8"));
      else reject(new FleetError("PARSE_ERROR", "the body is not UTF-8; send one JSON-RPC message encoded as UTF-8"));
    });
    request.on("error", reject);
  });
}

function tooLarge(maxBytes: number): FleetError {
  return new FleetError(
    "BODY_TOO_LARGE",
    `the body exceeds ${maxBytes} bytes; raise gateway.maxBodyBytes or send less`,
  );
}
