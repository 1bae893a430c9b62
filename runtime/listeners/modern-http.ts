import type { IncomingMessage, ServerResponse } from "node:http";
import { FleetError } from "../errors.ts";
import { isNotification, isRequest, type RpcMessage, type RpcReply } from "../protocol/json-rpc.ts";
import { modernErrors, modernRevision } from "../protocol/modern.ts";
import { checkHeaders, checkParamHeaders, declarationOf } from "../protocol/modern-request.ts";
import type { Elsewhere } from "./elsewhere.ts";
import { EventStream } from "./event-stream.ts";
import type { Taken } from "./media-types.ts";
import type { ModernCalls } from "./modern-calls.ts";
import type { OpenReplies } from "./open-replies.ts";
import { PostReply } from "./post-reply.ts";
import type { Subscriptions } from "./subscriptions.ts";
import type { McpTarget } from "./target.ts";

export interface ModernHttpOptions {
  readonly calls: ModernCalls;
  readonly subscriptions: Subscriptions;
  readonly replies: OpenReplies;
  /** The gateway's other processes. Defaults to none. */
  readonly elsewhere?: Elsewhere | undefined;
}

/** Streamable HTTP of the stateless era (2026-07-28, basic/transports): each POST stands for itself. */
export class ModernHttp {
  readonly #options: ModernHttpOptions;

  constructor(options: ModernHttpOptions) {
    this.#options = options;
  }

  /** Answers one message. Rejects with what is wrong with the request itself. */
  async serve(
    request: IncomingMessage,
    response: ServerResponse,
    target: McpTarget,
    message: RpcMessage,
    { json, events }: Taken,
  ): Promise<void> {
    if (isNotification(message)) {
      // Only streams end calls here; there is no notification that a server must hear.
      response.writeHead(202).end();
      return;
    }
    if (!isRequest(message)) {
      throw new FleetError("INVALID_REQUEST", `Invalid request: MCP ${modernRevision} takes no responses`);
    }
    const { calls, subscriptions, replies, elsewhere } = this.#options;
    const declared = declarationOf(message, (version) => checkHeaders(message, request.headers, version));
    const { method, params } = message;
    const state = params?.requestState;
    if (state !== undefined && elsewhere?.parkedCall(request, response, target, state, JSON.stringify(message))) return;
    if (method === "subscriptions/listen") {
      if (!events) throw new FleetError("NOT_ACCEPTABLE", "Not acceptable: send Accept: text/event-stream");
      const close = await subscriptions.open(() => new EventStream(response), target, message);
      response.on("close", close);
      return;
    }
    if (method === "tools/call" && typeof params?.name === "string") {
      checkParamHeaders(await target.service.tool(params.name), params, request.headers);
    }
    const begin = events ? () => new EventStream(response) : undefined;
    const reply = new PostReply(response, begin, json, undefined, replies.compression);
    const open = replies.add(reply);
    let outcome: RpcReply;
    try {
      outcome = await calls.call(target, message, declared, reply, (cancel) => {
        const gone = () => cancel("the client closed the stream");
        response.once("close", gone);
        return () => response.off("close", gone);
      });
    } finally {
      replies.remove(open);
    }
    reply.end(message.id, outcome, statusOf(outcome));
  }
}

const badRequests = new Set<number>(Object.values(modernErrors));

/** HTTP status of a reply (basic/transports, "Error responses"). */
function statusOf(reply: RpcReply): number {
  if ("result" in reply) return 200;
  if (reply.error.code === -32601) return 404;
  return badRequests.has(reply.error.code) ? 400 : 200;
}
