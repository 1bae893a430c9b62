import { createHash } from "node:crypto";
import type { Logger } from "pino";
import { FleetError } from "../errors.ts";
import { canonicalJson } from "../performance/canonical-json.ts";
import { Exchange } from "../protocol/exchange.ts";
import { errorReply, type Params, type RpcReply, type RpcRequest } from "../protocol/json-rpc.ts";
import { relayedMethods } from "../protocol/methods.ts";
import { modernRevision, withModernParts } from "../protocol/modern.ts";
import type { ModernDeclaration } from "../protocol/modern-request.ts";
import { ParkedCall } from "../protocol/parked-call.ts";
import type { ParkedCalls } from "../protocol/parked-calls.ts";
import type { ServiceClient } from "../routing/mcp-service.ts";
import { ModernCaller } from "./modern-caller.ts";
import type { Answer, McpTarget } from "./target.ts";

export interface ModernCallsOptions {
  readonly parked: ParkedCalls;
  readonly log: Logger;
  /** Clients of this name are to open sessions, because many others stand behind each of them. Defaults to nobody. */
  readonly sessionsFor?: string | undefined;
  /** Can different clients have this caller's name? Then no call shares state with another one. */
  readonly isStranger: (caller: string) => boolean;
  /** A stranger's call is over: what fleets keep for it is to be given back. */
  readonly onGone: (client: ServiceClient) => void;
}

/** What the stateless era has. What only the session era knows is unknown to it; the rest is the service's to decide. */
const methods = new Set([
  ...["server/discover", "completion/complete", "tools/list", "tools/call", "prompts/list", "prompts/get"],
  ...["resources/list", "resources/templates/list", "resources/read", "tasks/get", "tasks/update", "tasks/cancel"],
]);

const ofSessions = (method: string): boolean =>
  !methods.has(method) &&
  (relayedMethods.has(method) || method === "initialize" || method.startsWith("notifications/"));

/** What goes on with a parked call: its client and its exchange. */
interface Running {
  readonly call: ParkedCall;
  readonly client: ModernCaller;
  readonly exchange: Exchange;
}

/** Says what to do when the client no longer waits for an answer; the returned function takes that back. */
export type WhenGone = (cancel: (reason: string) => void) => () => void;

/** What the stateless era does on every transport (2026-07-28, basic/index): each request stands for itself. */
export class ModernCalls {
  readonly #options: ModernCallsOptions;
  readonly #running = new WeakMap<ParkedCall, Running>();

  constructor(options: ModernCallsOptions) {
    this.#options = options;
  }

  /** Answers one request; rejects only with METHOD_UNKNOWN. */
  async call(
    target: McpTarget,
    message: RpcRequest,
    declared: ModernDeclaration,
    answer: Answer,
    whenGone: WhenGone,
  ): Promise<RpcReply> {
    const { sessionsFor } = this.#options;
    const probing = sessionsFor !== undefined && message.method === "server/discover";
    const unserved = probing && declared.clientInfo?.name === sessionsFor;
    if (unserved || ofSessions(message.method))
      throw new FleetError("METHOD_UNKNOWN", `Method not found: ${message.method}`);
    try {
      if (message.method === "server/discover") {
        await this.#enter(target, message, answer);
        const { serverInfo, ...described } = await target.service.introduce();
        const { tasks: _sessionEraTasks, ...capabilities } = described.capabilities as Params;
        const result = { supportedVersions: [modernRevision], ...described, capabilities };
        return withModernParts(message.method, { result }, serverInfo);
      }
      const { serverInfo } = await target.service.describe();
      const running = this.#resume(target, message, answer) ?? this.#start(target, message, declared, answer);
      const outcome = await this.#outcome(running, whenGone);
      if (running.exchange.headers !== undefined) answer.headers?.(running.exchange.headers);
      return withModernParts(message.method, outcome, serverInfo);
    } catch (error) {
      if (!(error instanceof FleetError)) this.#options.log.error({ err: error }, "a call failed unexpectedly");
      else answer.refused?.(target.access.refusal(error, target.server));
      return errorReply(error);
    }
  }

  /** Counts what the gateway answers itself. */
  async #enter({ access, service }: McpTarget, { method, params }: RpcRequest, answer: Answer): Promise<void> {
    const exchange = new Exchange(service.timeoutFor(params));
    await access.enter(method, exchange);
    if (exchange.headers !== undefined) answer.headers?.(exchange.headers);
  }

  #start(target: McpTarget, { method, params }: RpcRequest, declared: ModernDeclaration, answer: Answer): Running {
    const call = new ParkedCall(() => bindingOf(target, method, params));
    const { isStranger, onGone } = this.#options;
    const stranger = isStranger(target.caller);
    const client = new ModernCaller(target.caller, stranger, method, declared, call, answer);
    const told = (said: string, about: Params | undefined) => client.told(said, about, exchange);
    const exchange: Exchange = new Exchange(target.service.timeoutFor(params), told, client);
    const handled = target.service.handle(client, method, params, exchange);
    call.run(exchange, stranger ? handled.finally(() => onGone(client)) : handled);
    const running = { call, client, exchange };
    this.#running.set(call, running);
    return running;
  }

  #resume(target: McpTarget, { method, params }: RpcRequest, answer: Answer): Running | undefined {
    const { parked } = this.#options;
    const state = params?.requestState;
    if (!parked.owns(state)) return undefined;
    const call = parked.resume(state, bindingOf(target, method, params));
    const running = this.#running.get(call) as Running;
    running.client.cameBack(answer);
    call.answer((params?.inputResponses ?? {}) as Params);
    return running;
  }

  /** The result, or the questions that come first; then the call stays here until its client brings the answers. */
  async #outcome({ call, client, exchange }: Running, whenGone: WhenGone): Promise<RpcReply> {
    const stay = whenGone((reason) => call.cancel(reason));
    try {
      const outcome = await call.next();
      if (!("inputRequests" in outcome)) {
        // A server that could do without an answer has done so; only one that could not has failed for want of it.
        if (client.missing !== undefined && hasFailed(outcome)) throw client.missing;
        return outcome;
      }
      const requestState = this.#options.parked.park(call, client.caller);
      return { result: { resultType: "input_required", ...outcome, requestState } };
    } catch (error) {
      exchange.cancel("refused");
      throw error;
    } finally {
      stay();
    }
  }
}

const hasFailed = (reply: RpcReply): boolean =>
  "error" in reply || (reply.result as { readonly isError?: unknown } | null)?.isError === true;

/** Whose call it is and which: who goes on with it must be the same caller, with the same request. */
function bindingOf({ server, caller }: McpTarget, method: string, params: Params | undefined): string {
  const { _meta, inputResponses, requestState, ...asked } = params ?? {};
  const text = canonicalJson([server ?? null, caller, method, asked]);
  return createHash("sha256").update(text).digest("base64url");
}
