import type { IncomingMessage, ServerResponse } from "node:http";
import type { Logger } from "pino";
import { ErrorKinds, FleetError } from "../errors.ts";
import type { Metrics } from "../observability/metrics.ts";
import type { ClientSession } from "../protocol/client-session.ts";
import { Exchange } from "../protocol/exchange.ts";
import {
  encodeReply,
  errorReply,
  isNotification,
  isRequest,
  type Params,
  parseMessages,
  type RequestId,
  type RpcMessage,
  type RpcNotification,
  type RpcReply,
  type RpcRequest,
  replyOf,
} from "../protocol/json-rpc.ts";
import { wantsLog } from "../protocol/log-levels.ts";
import { isModern } from "../protocol/modern-request.ts";
import {
  allowsBatch,
  assumedRevision,
  downstreamRevisions,
  isDownstreamRevision,
  negotiate,
} from "../protocol/revisions.ts";
import type { SessionTable } from "../protocol/session-table.ts";
import type { McpService } from "../routing/mcp-service.ts";
import { readBody } from "./body.ts";
import { EventStream } from "./event-stream.ts";
import type { ModernHttp } from "./modern-http.ts";
import { PostReply } from "./post-reply.ts";
import { SessionClient } from "./session-client.ts";

/** An MCP path and who calls it. */
export interface McpTarget {
  readonly service: McpService;
  /** The fleet of `/mcp/<server>`; undefined at `/mcp`. */
  readonly server: string | undefined;
  readonly caller: string;
}

export interface StreamableHttpOptions {
  readonly sessions: SessionTable;
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

  constructor(options: StreamableHttpOptions) {
    this.#options = options;
  }

  async serve(request: IncomingMessage, response: ServerResponse, target: McpTarget): Promise<void> {
    let id: RequestId | null = null;
    try {
      if (request.method === "POST") {
        const messages = await this.#read(request);
        if (!Array.isArray(messages) && "id" in messages) id = messages.id;
        await this.#post(request, response, target, messages);
      } else if (request.method === "GET") this.#get(request, response, target);
      else if (request.method === "DELETE") this.#delete(request, response, target);
      else response.writeHead(405, { allow: "GET, POST, DELETE" }).end();
    } catch (error) {
      this.#refuse(response, id, error);
    }
  }

  async #read(request: IncomingMessage): Promise<RpcMessage | RpcMessage[]> {
    if (!request.headers["content-type"]?.startsWith("application/json")) {
      throw new FleetError("MEDIA_TYPE", "Unsupported media type: send Content-Type: application/json");
    }
    if (!accepts(request, "application/json") && !streams(request)) {
      throw new FleetError("NOT_ACCEPTABLE", "Not acceptable: send Accept: application/json, text/event-stream");
    }
    const messages = parseMessages(await readBody(request, this.#options.maxBodyBytes));
    this.#options.metrics.bodyReceived(Array.isArray(messages) ? messages.length : 1);
    return messages;
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
      const reply = new PostReply(response, streams(request));
      reply.end(await this.#call(session, target, messages, reply));
      return;
    }
    if (isNotification(messages)) this.#notified(session, target, messages);
    else session.answered(messages.id, replyOf(messages));
    response.writeHead(202).end();
  }

  async #initialize(response: ServerResponse, target: McpTarget, { id, params }: RpcRequest): Promise<void> {
    const described = await target.service.describe();
    const revision = negotiate(params?.protocolVersion);
    const client = { capabilities: asParams(params?.capabilities) ?? {}, clientInfo: asParams(params?.clientInfo) };
    const opened = this.#options.sessions.open(revision, target.server, target.caller, client);
    this.#options.log.info(
      { client: params?.clientInfo, revision, server: target.server, caller: target.caller },
      "session opened",
    );
    const reply = new PostReply(response, false, { [sessionHeader]: opened.id });
    reply.end(encodeReply(id, { result: { protocolVersion: revision, ...described } }));
  }

  /** Answers one request; never rejects. */
  async #call(
    session: ClientSession,
    target: McpTarget,
    { id, method, params }: RpcRequest,
    answer: PostReply,
  ): Promise<string> {
    const notify = (said: string, about: Params | undefined) => {
      const dropped = session.logLevel !== undefined && said === "notifications/message";
      if (!dropped || wantsLog(session.logLevel as string, about?.level)) answer.notify(said, about);
    };
    const client = new SessionClient(session, answer);
    const exchange = new Exchange(target.service.timeoutFor(params), notify, client);
    session.calls.set(id, exchange);
    let reply: RpcReply;
    try {
      reply = await target.service.handle(session, method, params, exchange);
    } catch (error) {
      if (!(error instanceof FleetError)) this.#options.log.error({ err: error, method }, "a call failed unexpectedly");
      reply = errorReply(error);
    }
    session.calls.delete(id);
    return encodeReply(id, reply);
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
      if (isNotification(message)) this.#notified(session, target, message);
      else if (!isRequest(message)) session.answered(message.id, replyOf(message));
    }
    const requests = messages.filter(isRequest);
    if (requests.length === 0) {
      response.writeHead(202).end();
      return;
    }
    const reply = new PostReply(response, streamable);
    const answers = await Promise.all(requests.map((message) => this.#call(session, target, message, reply)));
    reply.end(`[${answers.join(",")}]`);
  }

  #notified(session: ClientSession, target: McpTarget, { method, params }: RpcNotification): void {
    if (method === "notifications/cancelled") {
      session.calls.get(params?.requestId as RequestId)?.cancel(String(params?.reason ?? "no reason given"));
    } else target.service.notified(session, method, params);
  }

  #get(request: IncomingMessage, response: ServerResponse, target: McpTarget): void {
    if (!streams(request)) throw new FleetError("NOT_ACCEPTABLE", "Not acceptable: send Accept: text/event-stream");
    const session = this.#session(request, target);
    const stream = new EventStream(response);
    session.streams.add(stream);
    response.on("close", () => session.streams.delete(stream));
  }

  #delete(request: IncomingMessage, response: ServerResponse, target: McpTarget): void {
    this.#session(request, target);
    this.#options.sessions.end(request.headers[sessionHeader] as string);
    response.writeHead(204).end();
  }

  #session(request: IncomingMessage, { server, caller }: McpTarget): ClientSession {
    const id = request.headers[sessionHeader];
    if (typeof id !== "string") {
      throw new FleetError("SESSION_MISSING", "Bad request: no Mcp-Session-Id header; initialize a session first");
    }
    const session = this.#options.sessions.find(id, server, caller);
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

function accepts(request: IncomingMessage, type: string): boolean {
  const accept = request.headers.accept;
  return accept === undefined || accept.includes(type) || accept.includes("*/*");
}

const asParams = (value: unknown): Params | undefined =>
  typeof value === "object" && value !== null ? (value as Params) : undefined;
