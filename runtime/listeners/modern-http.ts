import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Logger } from "pino";
import { FleetError } from "../errors.ts";
import { Exchange } from "../protocol/exchange.ts";
import {
  encodeReply,
  errorReply,
  isNotification,
  isRequest,
  type Params,
  type RpcMessage,
  type RpcReply,
  type RpcRequest,
} from "../protocol/json-rpc.ts";
import { modernErrors, modernRevision, withModernParts } from "../protocol/modern.ts";
import { checkParamHeaders, declarationOf, type ModernDeclaration } from "../protocol/modern-request.ts";
import { ParkedCall } from "../protocol/parked-call.ts";
import type { ParkedCalls } from "../protocol/parked-calls.ts";
import { ModernCaller } from "./modern-caller.ts";
import { PostReply } from "./post-reply.ts";
import type { McpTarget } from "./streamable-http.ts";
import type { Subscriptions } from "./subscriptions.ts";

export interface ModernHttpOptions {
  readonly parked: ParkedCalls;
  readonly subscriptions: Subscriptions;
  readonly log: Logger;
}

/** What the stateless era has; anything else is unknown to it, also what the session era knows. */
const methods = new Set([
  ...["server/discover", "subscriptions/listen", "completion/complete", "tools/list", "tools/call"],
  ...["prompts/list", "prompts/get", "resources/list", "resources/templates/list", "resources/read"],
  ...["tasks/get", "tasks/update", "tasks/cancel"],
]);

/** What goes on with a parked call: its client and its exchange. */
interface Running {
  readonly call: ParkedCall;
  readonly client: ModernCaller;
  readonly exchange: Exchange;
}

/** Streamable HTTP of the stateless era (2026-07-28, basic/transports): each POST stands for itself. */
export class ModernHttp {
  readonly #options: ModernHttpOptions;
  readonly #running = new WeakMap<ParkedCall, Running>();

  constructor(options: ModernHttpOptions) {
    this.#options = options;
  }

  /** Answers one message. Throws what is wrong with the request itself. */
  async serve(
    request: IncomingMessage,
    response: ServerResponse,
    target: McpTarget,
    message: RpcMessage,
    streamable: boolean,
  ): Promise<void> {
    if (isNotification(message)) {
      // Only streams end calls here; there is no notification that a server must hear.
      response.writeHead(202).end();
      return;
    }
    if (!isRequest(message)) {
      throw new FleetError("INVALID_REQUEST", `Invalid request: MCP ${modernRevision} takes no responses`);
    }
    const declared = declarationOf(message, request.headers);
    if (!methods.has(message.method)) {
      throw new FleetError("METHOD_UNKNOWN", `Method not found: ${message.method}`);
    }
    if (message.method === "subscriptions/listen") {
      if (!streamable) throw new FleetError("NOT_ACCEPTABLE", "Not acceptable: send Accept: text/event-stream");
      return this.#options.subscriptions.open(response, target, message);
    }
    const { method, params } = message;
    if (method === "tools/call" && typeof params?.name === "string") {
      checkParamHeaders(await target.service.tool(params.name), params, request.headers);
    }
    const reply = new PostReply(response, streamable);
    const outcome = await this.#answer(target, message, declared, reply, response);
    reply.end(encodeReply(message.id, outcome), statusOf(outcome));
  }

  async #answer(
    target: McpTarget,
    message: RpcRequest,
    declared: ModernDeclaration,
    reply: PostReply,
    response: ServerResponse,
  ): Promise<RpcReply> {
    const { serverInfo, ...described } = await target.service.describe();
    if (message.method === "server/discover") {
      const { tasks: _sessionEraTasks, ...capabilities } = described.capabilities as Params;
      const result = { supportedVersions: [modernRevision], ...described, capabilities };
      return withModernParts(message.method, { result }, serverInfo);
    }
    try {
      const running = this.#resume(target, message, reply) ?? this.#start(target, message, declared, reply);
      const outcome = await this.#outcome(running, response);
      return withModernParts(message.method, outcome, serverInfo);
    } catch (error) {
      if (!(error instanceof FleetError)) this.#options.log.error({ err: error }, "a call failed unexpectedly");
      return errorReply(error);
    }
  }

  #start(target: McpTarget, { method, params }: RpcRequest, declared: ModernDeclaration, reply: PostReply): Running {
    const call = new ParkedCall(bindingOf(target, method, params));
    const client = new ModernCaller(target.caller, method, declared, call, reply);
    const told = (said: string, about: Params | undefined) => client.told(said, about);
    const exchange = new Exchange(target.service.timeoutFor(params), told, client);
    call.run(exchange, target.service.handle(client, method, params, exchange));
    const running = { call, client, exchange };
    this.#running.set(call, running);
    return running;
  }

  #resume(target: McpTarget, { method, params }: RpcRequest, reply: PostReply): Running | undefined {
    const { parked } = this.#options;
    const state = params?.requestState;
    if (!parked.owns(state)) return undefined;
    const call = parked.resume(state, bindingOf(target, method, params));
    const running = this.#running.get(call) as Running;
    running.client.cameBack(reply);
    call.answer((params?.inputResponses ?? {}) as Params);
    return running;
  }

  /** The result, or the questions that come first; then the call stays here until its client brings the answers. */
  async #outcome({ call, client, exchange }: Running, response: ServerResponse): Promise<RpcReply> {
    const gone = () => {
      if (!response.writableFinished) call.cancel("the client closed the stream");
    };
    response.once("close", gone);
    try {
      const outcome = await Promise.race([call.next(), client.refused]);
      if (!("inputRequests" in outcome)) return outcome;
      const requestState = this.#options.parked.park(call);
      return { result: { resultType: "input_required", ...outcome, requestState } };
    } catch (error) {
      exchange.cancel("refused");
      throw error;
    } finally {
      response.off("close", gone);
    }
  }
}

/** Whose call it is and which: who goes on with it must be the same caller, with the same request. */
function bindingOf({ server, caller }: McpTarget, method: string, params: Params | undefined): string {
  const { _meta, inputResponses, requestState, ...asked } = params ?? {};
  const text = JSON.stringify([server ?? null, caller, method, asked], (_key, value) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
  return createHash("sha256").update(text).digest("base64url");
}

const badRequests = new Set<number>(Object.values(modernErrors));

/** HTTP status of a reply (basic/transports, "Error responses"). */
function statusOf(reply: RpcReply): number {
  if ("result" in reply) return 200;
  if (reply.error.code === -32601) return 404;
  return badRequests.has(reply.error.code) ? 400 : 200;
}
