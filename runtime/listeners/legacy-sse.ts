import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { FleetError } from "../errors.ts";
import { readBody } from "./body.ts";
import { Duplex, type DuplexOptions, maxWaiting } from "./duplex.ts";
import type { Elsewhere } from "./elsewhere.ts";
import { EventStream } from "./event-stream.ts";
import { checkJson } from "./media-types.ts";
import type { McpTarget } from "./target.ts";

export interface LegacySseOptions extends DuplexOptions {
  readonly maxBodyBytes: number;
  /** The gateway's other processes, and which of them this is. Defaults to none, and 0. */
  readonly elsewhere?: Elsewhere | undefined;
  readonly worker?: number;
}

interface Connection {
  readonly duplex: Duplex;
  readonly stream: EventStream;
  readonly caller: string;
  /** The server of `/sse/<server>`. */
  readonly server: string | undefined;
}

/**
 * HTTP+SSE of 2024-11-05 (basic/transports): a GET opens the stream on which the server speaks, whose first event tells
 * where to POST messages. Deprecated, but many clients know nothing else.
 */
export class LegacySse {
  readonly #options: LegacySseOptions;
  readonly #connections = new Map<string, Connection>();

  constructor(options: LegacySseOptions) {
    this.#options = options;
  }

  /** Bytes that wait for the client that has most of them. */
  get waiting(): number {
    return Math.max(0, ...[...this.#connections.values()].map(({ duplex }) => duplex.waiting));
  }

  /** Call it at an interval: balancers cut connections that are silent. */
  keepAlive(): void {
    for (const { stream } of this.#connections.values()) stream.keepAlive();
  }

  /** `GET /sse`. `prefix` is that of the paths which clients write. */
  open(request: IncomingMessage, response: ServerResponse, target: McpTarget, prefix = ""): void {
    if (request.method !== "GET") {
      response.writeHead(405, { allow: "GET" }).end();
      return;
    }
    const id = `${this.#options.worker ?? 0}-${randomBytes(16).toString("base64url")}`;
    const stream = new EventStream(response, {}, maxWaiting);
    const duplex = new Duplex(this.#options, target, {
      send: (message) => stream.send(message),
      get waiting() {
        return stream.waiting;
      },
      cut: () => response.destroy(),
      counted: true,
      close: () => stream.end(),
      // Each message is a request of its own, which the client sends without waiting: there is nothing to hold back.
      pause: () => {},
      resume: () => {},
    });
    this.#connections.set(id, { duplex, stream, caller: target.caller, server: target.server });
    response.on("drain", () => duplex.taken());
    response.on("close", () => {
      this.#connections.delete(id);
      duplex.closed();
    });
    stream.event("endpoint", `${messagesOf(target.server, prefix)}?sessionId=${id}`);
  }

  /**
   * `POST /messages?sessionId=…`, or `/messages/<server>` for a stream of one server, so that a token for this server alone
   * opens it. Throws SESSION_UNKNOWN for a stream that has gone, or is another caller's or server's.
   */
  async receive(
    request: IncomingMessage,
    response: ServerResponse,
    caller: string,
    server?: string | undefined,
  ): Promise<void> {
    if (request.method !== "POST") {
      response.writeHead(405, { allow: "POST" }).end();
      return;
    }
    const id = new URL(request.url as string, "http://localhost").searchParams.get("sessionId") ?? "";
    const connection = this.#connections.get(id);
    if (connection === undefined && this.#options.elsewhere?.stream(request, response, caller, id)) return;
    const other = server !== undefined && server !== connection?.server;
    if (connection === undefined || connection.caller !== caller || other) {
      throw new FleetError(
        "SESSION_UNKNOWN",
        "Session not found: its event stream has ended; GET /sse opens a new one",
      );
    }
    checkJson(request);
    const text = await readBody(request, this.#options.maxBodyBytes);
    // Here a client cannot be read more slowly: it is told to.
    if (connection.duplex.crowded) {
      throw new FleetError("OVERLOADED", "the stream has too many requests in flight; wait for their answers", {
        headers: { "retry-after": "1" },
      });
    }
    response.writeHead(202, { "content-type": "text/plain" }).end("Accepted");
    connection.duplex.receive(text);
  }
}

/** Where a client of a stream posts its messages, as a reference that it resolves against the stream's URL (RFC 3986, section 5). */
function messagesOf(server: string | undefined, prefix: string): string {
  const path = server === undefined ? "messages" : `messages/${server}`;
  // Behind a prefix only the client knows the whole path. Without one, clients that cannot resolve references are served too.
  if (prefix === "") return `/${path}`;
  return server === undefined ? path : `../${path}`;
}
