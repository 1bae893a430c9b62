import type { IncomingMessage, ServerResponse } from "node:http";

const anybody = { "access-control-allow-origin": "*" };
/** What pages ask for before they send a header of their own, such as `MCP-Protocol-Version` (Fetch standard, section 3.3). */
const preflight = {
  ...anybody,
  "access-control-allow-methods": "GET, HEAD",
  "access-control-allow-headers": "*",
  "access-control-max-age": "600",
};

/**
 * Answers a request below `/.well-known/` (RFC 8615). Clients look there before they have a token, and take 404 for a server
 * without such a document, so nobody is asked for one; pages of every origin can read it.
 */
export function serveWellKnown(request: IncomingMessage, response: ServerResponse, document: object | undefined): void {
  const { method, url } = request;
  if (method === "OPTIONS") {
    response.writeHead(204, preflight).end();
    return;
  }
  const reads = method === "GET" || method === "HEAD";
  const status = document === undefined ? 404 : reads ? 200 : 405;
  const error = { code: -32600, message: `nothing is served at ${method} ${url}` };
  const text = JSON.stringify(status === 200 ? document : { error });
  const headers = { ...anybody, "content-type": "application/json", "content-length": Buffer.byteLength(text) };
  response.writeHead(status, status === 405 ? { ...headers, allow: "GET, HEAD" } : headers);
  response.end(method === "HEAD" ? undefined : text);
}
