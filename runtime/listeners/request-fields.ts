import type { IncomingMessage } from "node:http";
import { FleetError } from "../errors.ts";

/** Fields of which a request has one: of two, a proxy could believe one and the gateway the other. */
const single = new Set([
  "host",
  "content-length",
  "content-type",
  "content-encoding",
  "transfer-encoding",
  "authorization",
  "origin",
  "x-api-key",
  "mcp-session-id",
  "mcp-protocol-version",
  "mcp-method",
  "mcp-name",
  "last-event-id",
  "upgrade",
  "sec-websocket-key",
  "sec-websocket-version",
]);

/**
 * Checks what Node's parser takes although two programs could read it in two ways: a field that comes twice, and a transfer
 * coding besides `chunked`, or one in HTTP/1.0 (RFC 9112, section 6.1). Throws INVALID_REQUEST; the connection is then closed.
 */
export function checkFields(request: IncomingMessage): void {
  const { rawHeaders } = request;
  // Requests of the fast path have no raw fields: none comes twice there, and none has a transfer coding.
  if (rawHeaders.length === 0) return;
  const { headers, httpVersionMinor } = request;
  const coding = headers["transfer-encoding"];
  if (coding !== undefined && (coding.toLowerCase() !== "chunked" || httpVersionMinor === 0)) {
    throw new FleetError("INVALID_REQUEST", 'Bad request: Transfer-Encoding must be "chunked" and nothing else');
  }
  let names = 0;
  for (const _name in headers) names += 1;
  if (rawHeaders.length > 2 * names) checkDoubles(rawHeaders);
}

function checkDoubles(rawHeaders: readonly string[]): void {
  const seen = new Set<string>();
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] as string).toLowerCase();
    if (single.has(name) && seen.has(name)) {
      throw new FleetError("INVALID_REQUEST", `Bad request: the field ${rawHeaders[at]} comes twice; send one`);
    }
    seen.add(name);
  }
}
