import type { IncomingMessage, ServerResponse } from "node:http";
import type { Logger } from "pino";
import { ErrorKinds, FleetError } from "../errors.ts";
import type { Use } from "../observability/bounds.ts";
import type { Metrics } from "../observability/metrics.ts";
import type { ClientSession } from "../protocol/client-session.ts";
import {
  encodeReply,
  errorReply,
  isNotification,
  isRequest,
  parseMessages,
  type RequestId,
  type RpcMessage,
  type RpcRequest,
  replyOf,
} from "../protocol/json-rpc.ts";
import { isModern } from "../protocol/modern-request.ts";
import { allowsBatch, assumedRevision, downstreamRevisions, isDownstreamRevision } from "../protocol/revisions.ts";
import { inTrace } from "../protocol/trace-context.ts";
import { readBody } from "./body.ts";
import { onCredentialEnd } from "./credential-end.ts";
import { EventStream } from "./event-stream.ts";
import { checkJson, type Taken, takenBy } from "./media-types.ts";
import type { ModernHttp } from "./modern-http.ts";
import type { OpenReplies } from "./open-replies.ts";
import { PostReply } from "./post-reply.ts";
import { Replay } from "./replay.ts";
import type { SessionCalls } from "./session-calls.ts";
import type { McpTarget } from "./target.ts";

export interface StreamableHttpOptions {
  readonly calls: SessionCalls;
  readonly modern: ModernHttp;
  readonly replies: OpenReplies;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly maxBodyBytes: number;
}

const sessionHeader = "mcp-session-id";

/**
 * Streamable HTTP: requests of the stateless era are passed on; here are the clients of the session era (2025-03-26, 2025-06-18, 2025-11-25; basic/transports): POST sends
 * messages, GET opens a stream for what servers say unasked, DELETE ends the session.
 */
export class StreamableHttp {
  readonly #options: StreamableHttpOptions;
  readonly #replay = new Replay();

  constructor(options: StreamableHttpOptions) {
    this.#options = options;
  }

  /** Event streams that can be resumed, and their bound. */
  get streams(): Use {
    return this.#replay.kept;
  }

  serve(request: IncomingMessage, response: ServerResponse, target: McpTarget): void {
    try {
      if (request.method === "POST") this.#post(request, response, target);
      else if (request.method === "GET") this.#get(request, response, target);
      else if (request.method === "DELETE") this.#delete(request, response, target);
      else response.writeHead(405, { allow: "GET, POST, DELETE" }).end();
    } catch (error) {
      this.#refuse(response, null, error);
    }
  }

  #post(request: IncomingMessage, response: ServerResponse, target: McpTarget): void {
    checkJson(request);
    const taken = takenBy(request);
    if (!taken.json && !taken.events) {
      throw new FleetError("NOT_ACCEPTABLE", "Not acceptable: send Accept: application/json, text/event-stream");
    }
    const body = readBody(request, this.#options.maxBodyBytes);
    if (typeof body === "string") this.#received(request, response, target, taken, body);
    else {
      body
        .then((text) => this.#received(request, response, target, taken, text))
        .catch((error) => this.#refuse(response, null, error));
    }
  }

  #received(request: IncomingMessage, response: ServerResponse, target: McpTarget, taken: Taken, body: string): void {
    const messages = parseMessages(body);
    if (Array.isArray(messages)) {
      this.#options.metrics.bodyReceived(messages.length);
      this.#batch(request, target, messages, response, taken).catch((error) => this.#refuse(response, null, error));
    } else {
      this.#options.metrics.bodyReceived(1);
      void this.#message(request, response, target, inTrace(messages, request.headers), taken);
    }
  }

  async #message(
    request: IncomingMessage,
    response: ServerResponse,
    target: McpTarget,
    message: RpcMessage,
    taken: Taken,
  ): Promise<void> {
    try {
      if (isModern(message, request.headers)) {
        await this.#options.modern.serve(request, response, target, message, taken);
      } else if (!isRequest(message)) {
        const session = this.#session(request, target);
        if (isNotification(message)) this.#options.calls.notified(session, target, message);
        else session.answered(message.id, replyOf(message));
        response.writeHead(202).end();
      } else if (message.method === "initialize") await this.#initialize(response, target, message, taken);
      else {
        const session = this.#session(request, target);
        const reply = this.#reply(session, response, taken);
        const open = this.#options.replies.add(reply);
        // Never rejects.
        const outcome = await this.#options.calls.call(session, target, message, reply);
        this.#options.replies.remove(open);
        reply.end(message.id, outcome);
      }
    } catch (error) {
      this.#refuse(response, "id" in message ? message.id : null, error);
    }
  }

  async #initialize(response: ServerResponse, target: McpTarget, request: RpcRequest, { json }: Taken): Promise<void> {
    const { id, answer } = await this.#options.calls.open(target, request);
    const { compression } = this.#options.replies;
    const headers = { [sessionHeader]: id };
    new PostReply(response, () => new EventStream(response), json, headers, compression).endText(answer);
  }

  async #batch(
    request: IncomingMessage,
    target: McpTarget,
    messages: RpcMessage[],
    response: ServerResponse,
    taken: Taken,
  ): Promise<void> {
    const session = this.#session(request, target);
    if (!allowsBatch(session.claims.revision)) {
      throw new FleetError(
        "INVALID_REQUEST",
        `Invalid request: MCP ${session.claims.revision} has no batches; send one message`,
      );
    }
    for (const message of messages) {
      if (isNotification(message)) this.#options.calls.notified(session, target, message);
      else if (!isRequest(message)) session.answered(message.id, replyOf(message));
    }
    const requests = messages.filter(isRequest);
    if (requests.length === 0) {
      response.writeHead(202).end();
      return;
    }
    const reply = this.#reply(session, response, taken);
    const open = this.#options.replies.add(reply);
    const answers = await Promise.all(
      requests.map(async (message) =>
        encodeReply(message.id, await this.#options.calls.call(session, target, message, reply)),
      ),
    );
    this.#options.replies.remove(open);
    reply.endText(`[${answers.join(",")}]`);
  }

  #get(request: IncomingMessage, response: ServerResponse, target: McpTarget): void {
    if (!takenBy(request).events)
      throw new FleetError("NOT_ACCEPTABLE", "Not acceptable: send Accept: text/event-stream");
    const session = this.#session(request, target);
    const last = request.headers["last-event-id"];
    const resumed = typeof last === "string" ? this.#replay.resume(session, last, response) : undefined;
    const stream = resumed ?? this.#replay.open(session, response);
    // The client comes back with a fresh token, and with the id of the last event.
    const forget = onCredentialEnd(target, () => stream.detach(response));
    response.on("close", forget);
    // What was said while nobody listened waits on the stream that was left, until the client opens another one.
    if (resumed === undefined) session.open(stream);
  }

  #reply(session: ClientSession, response: ServerResponse, { events, json }: Taken): PostReply {
    const open = events ? () => this.#replay.open(session, response) : undefined;
    return new PostReply(response, open, json, undefined, this.#options.replies.compression);
  }

  #delete(request: IncomingMessage, response: ServerResponse, target: McpTarget): void {
    this.#session(request, target);
    this.#options.calls.sessions.end(request.headers[sessionHeader] as string, true);
    response.writeHead(204).end();
  }

  #session(request: IncomingMessage, { server, caller }: McpTarget): ClientSession {
    const id = request.headers[sessionHeader];
    if (typeof id !== "string") {
      throw new FleetError("SESSION_MISSING", "Bad request: no Mcp-Session-Id header; initialize a session first");
    }
    const session = this.#options.calls.sessions.find(id, server, caller);
    const version = request.headers["mcp-protocol-version"] ?? assumedRevision;
    if (isDownstreamRevision(version)) return session;
    throw new FleetError(
      "VERSION_UNSUPPORTED",
      `Bad request: unsupported MCP-Protocol-Version "${version}" (supported: ${downstreamRevisions.join(", ")})`,
    );
  }

  #refuse(response: ServerResponse, id: RequestId | null, error: unknown): void {
    if (!(error instanceof FleetError)) this.#options.log.error({ err: error }, "a request failed unexpectedly");
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const known = error instanceof FleetError ? error : undefined;
    const text = encodeReply(id, errorReply(error));
    response
      .writeHead(known?.kind.status ?? ErrorKinds.INTERNAL.status, {
        "content-type": "application/json",
        "content-length": Buffer.byteLength(text),
        ...known?.headers,
      })
      .end(text);
  }
}
