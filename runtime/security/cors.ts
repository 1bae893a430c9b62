import type { IncomingMessage, ServerResponse } from "node:http";
import type { Cors as CorsOptions } from "../config/schema/index.ts";

/** Headers of requests that MCP clients in pages send. */
const requestHeaders = [
  ...["authorization", "content-type", "accept", "mcp-session-id", "mcp-protocol-version", "mcp-method", "mcp-name"],
  ...["last-event-id", "x-api-key", "traceparent", "tracestate"],
];
/** Headers of answers that they must be able to read. */
const exposed =
  "mcp-session-id, www-authenticate, retry-after, ratelimit-limit, ratelimit-remaining, ratelimit-reset, ratelimit-policy";

/** Cross-origin resource sharing (Fetch standard, section 3.3) for pages of the configured origins, and of no others. */
export class Cors {
  readonly #origins: ReadonlySet<string>;
  readonly #allowed: string;
  readonly #maxAge: string;
  readonly #credentials: boolean;

  constructor({ origins, headers = [], maxAgeSeconds = 600, credentials = false }: CorsOptions) {
    this.#origins = new Set(origins.map((origin) => origin.toLowerCase()));
    this.#allowed = [...requestHeaders, ...headers].join(", ");
    this.#maxAge = String(maxAgeSeconds);
    this.#credentials = credentials;
  }

  /** Adds what the page's browser asks for; true when that was all there was to answer (a preflight). */
  answer(request: IncomingMessage, response: ServerResponse): boolean {
    const { origin } = request.headers;
    if (origin === undefined) return false;
    response.setHeader("vary", "origin");
    if (!this.#origins.has(origin.toLowerCase())) return false;
    response.setHeader("access-control-allow-origin", origin);
    if (this.#credentials) response.setHeader("access-control-allow-credentials", "true");
    if (request.method !== "OPTIONS" || request.headers["access-control-request-method"] === undefined) {
      response.setHeader("access-control-expose-headers", exposed);
      return false;
    }
    // Header names that begin with a prefix cannot be listed beforehand: what a page of ours asks for may be sent.
    const asked = (request.headers["access-control-request-headers"] ?? "").toLowerCase().split(",");
    const params = asked.map((name) => name.trim()).filter((name) => /^mcp-param-[\w-]+$/.test(name));
    response.writeHead(204, {
      "access-control-allow-methods": "GET, POST, DELETE",
      "access-control-allow-headers": [this.#allowed, ...params].join(", "),
      "access-control-max-age": this.#maxAge,
    });
    response.end();
    return true;
  }
}
