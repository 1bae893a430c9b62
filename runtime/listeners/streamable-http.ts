import type { IncomingMessage, ServerResponse } from "node:http";
import type { Logger } from "pino";
import { ErrorKinds, FleetError } from "../errors.ts";
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
import type { ModernHttp } from "./modern-http.ts";
import { PostReply } from "./post-reply.ts";
import { Replay } from "./replay.ts";
import type { SessionCalls } from "./session-calls.ts";
import type { McpTarget } from "./target.ts";

export interface StreamableHttpOptions {
  readonly calls: SessionCalls;
  readonly modern: ModernHttp;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly maxBodyBytes: number;
}

const sessionHeader = "mcp-session-id";
const streams = (request: IncomingMessage): boolean => accepts(request, "text/event-stream");

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

  async serve(request: IncomingMessage, response: ServerResponse, target: McpTarget): Promise<void> {
    let id: RequestId | null = null;
    try {
      if (request.method === "POST") {
        checkMedia(request);
        const messages = this.#parse(await readBody(request, this.#options.maxBodyBytes), request);
        if (!Array.isArray(messages) && "id" in messages) id = messages.id;
        await this.#post(request, response, target, messages);
      } else if (request.method === "GET") this.#get(request, response, target);
      else if (request.method === "DELETE") this.#delete(request, response, target);
      else response.writeHead(405, { allow: "GET, POST, DELETE" }).end();
    } catch (error) {
      this.#refuse(response, id, error);
    }
  }

  #parse(body: string, request: IncomingMessage): RpcMessage | RpcMessage[] {
    const messages = parseMessages(body);
    this.#options.metrics.bodyReceived(Array.isArray(messages) ? messages.length : 1);
    return Array.isArray(messages) ? messages : inTrace(messages, request.headers);
  }

  async #post(
    request: IncomingMessage,
    response: ServerResponse,
    target: McpTarget,
    messages: RpcMessage | RpcMessage[],
  ): Promise<void> {
    if (!Array.isArray(messages)) {
      if (isModern(messages, request.headers)) {
        return this.#options.modern.serve(request, response, target, messages, streams(request));
      }
      if (isRequest(messages) && messages.method === "initialize") return this.#initialize(response, target, messages);
    }
    const session = this.#session(request, target);
    if (Array.isArray(messages)) return this.#batch(session, target, messages, response, streams(request));
    if (isRequest(messages)) {
      const reply = this.#reply(session, response, streams(request));
      reply.end(messages.id, await this.#options.calls.call(session, target, messages, reply));
      return;
    }
    if (isNotification(messages)) this.#options.calls.notified(session, target, messages);
    else session.answered(messages.id, replyOf(messages));
    response.writeHead(202).end();
  }

  async #initialize(response: ServerResponse, target: McpTarget, request: RpcRequest): Promise<void> {
    const { id, answer } = await this.#options.calls.open(target, request);
    new PostReply(response, undefined, { [sessionHeader]: id }).endText(answer);
  }

  async #batch(
    session: ClientSession,
    target: McpTarget,
    messages: RpcMessage[],
    response: ServerResponse,
    streamable: boolean,
  ): Promise<void> {
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
    const reply = this.#reply(session, response, streamable);
    const answers = await Promise.all(
      requests.map(async (message) =>
        encodeReply(message.id, await this.#options.calls.call(session, target, message, reply)),
      ),
    );
    reply.endText(`[${answers.join(",")}]`);
  }

  #get(request: IncomingMessage, response: ServerResponse, target: McpTarget): void {
    if (!streams(request)) throw new FleetError("NOT_ACCEPTABLE", "Not acceptable: send Accept: text/event-stream");
    const session = this.#session(request, target);
    const last = request.headers["last-event-id"];
    const resumed = typeof last === "string" ? this.#replay.resume(session, last, response) : undefined;
    if (resumed !== undefined) return;
    const stream = this.#replay.open(session, response);
    // What was said while nobody listened waits on the stream that was left, until the client opens another one.
    for (const other of session.streams) if (!other.attached) session.streams.delete(other);
    session.streams.add(stream);
  }

  #reply(session: ClientSession, response: ServerResponse, streamable: boolean): PostReply {
    return new PostReply(response, streamable ? () => this.#replay.open(session, response) : undefined);
  }

  #delete(request: IncomingMessage, response: ServerResponse, target: McpTarget): void {
    this.#session(request, target);
    this.#options.calls.sessions.end(request.headers[sessionHeader] as string);
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
    const status = error instanceof FleetError ? error.kind.status : ErrorKinds.INTERNAL.status;
    const text = encodeReply(id, errorReply(error));
    response
      .writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(text) })
      .end(text);
  }
}

function checkMedia(request: IncomingMessage): void {
  if (!request.headers["content-type"]?.startsWith("application/json")) {
    throw new FleetError("MEDIA_TYPE", "Unsupported media type: send Content-Type: application/json");
  }
  if (!accepts(request, "application/json") && !streams(request)) {
    throw new FleetError("NOT_ACCEPTABLE", "Not acceptable: send Accept: application/json, text/event-stream");
  }
}

function accepts(request: IncomingMessage, type: string): boolean {
  const accept = request.headers.accept;
  return accept === undefined || accept.includes(type) || accept.includes("*/*");
}
