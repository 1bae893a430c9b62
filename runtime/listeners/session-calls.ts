import type { Logger } from "pino";
import { FleetError } from "../errors.ts";
import type { ClientSession } from "../protocol/client-session.ts";
import { Exchange } from "../protocol/exchange.ts";
import {
  encodeNotification,
  encodeReply,
  errorReply,
  type Params,
  type RpcNotification,
  type RpcReply,
  type RpcRequest,
} from "../protocol/json-rpc.ts";
import { wantsLog } from "../protocol/log-levels.ts";
import { negotiate } from "../protocol/revisions.ts";
import type { SessionTable } from "../protocol/session-table.ts";
import { SessionClient } from "./session-client.ts";
import type { Answer, McpTarget } from "./target.ts";

export interface SessionCallsOptions {
  readonly sessions: SessionTable;
  readonly log: Logger;
}

/** What the session era does on every transport: sessions, their calls and notifications (basic/lifecycle). */
export class SessionCalls {
  readonly #options: SessionCallsOptions;

  constructor(options: SessionCallsOptions) {
    this.#options = options;
  }

  get sessions(): SessionTable {
    return this.#options.sessions;
  }

  /** Answers `initialize`; `id` is the sealed id of the new session. */
  async open(
    target: McpTarget,
    { id, params }: RpcRequest,
  ): Promise<{ readonly session: ClientSession; readonly id: string; readonly answer: string }> {
    const { capabilities, ...described } = await target.service.describe();
    // Extensions came with the stateless era.
    const { extensions: _extensions, ...offered } = capabilities as Params;
    const revision = negotiate(params?.protocolVersion);
    const client = { capabilities: asParams(params?.capabilities) ?? {}, clientInfo: asParams(params?.clientInfo) };
    const opened = this.#options.sessions.open(revision, target.server, target.caller, client);
    this.#options.log.info(
      { client: params?.clientInfo, revision, server: target.server, caller: target.caller },
      "session opened",
    );
    return {
      ...opened,
      answer: encodeReply(id, { result: { protocolVersion: revision, capabilities: offered, ...described } }),
    };
  }

  /** Answers one request; never rejects. */
  async call(
    session: ClientSession,
    target: McpTarget,
    { id, method, params }: RpcRequest,
    answer: Answer,
  ): Promise<RpcReply> {
    const tell = (said: string, about: Params | undefined) => {
      const wanted = said === "notifications/message" ? session.logLevel : undefined;
      if (wanted !== undefined && !wantsLog(wanted, about?.level)) return;
      answer.send(encodeNotification(said, about));
      exchange.holdUntil(answer.caughtUp?.());
    };
    const client = new SessionClient(session, answer);
    const exchange: Exchange = new Exchange(target.service.timeoutFor(params), tell, client, id);
    const slot = session.calls.add(exchange);
    let reply: RpcReply;
    try {
      reply = await target.service.handle(session, method, params, exchange);
    } catch (error) {
      if (!(error instanceof FleetError)) this.#options.log.error({ err: error, method }, "a call failed unexpectedly");
      else answer.refused?.(error);
      reply = errorReply(error);
    }
    if (exchange.headers !== undefined) answer.headers?.(exchange.headers);
    session.calls.take(slot);
    return reply;
  }

  notified(session: ClientSession, target: McpTarget, { method, params }: RpcNotification): void {
    if (method === "notifications/cancelled") {
      session.cancelled(params?.requestId, reasonOf(params));
    } else target.service.notified(session, method, params);
  }
}

/** Why a client cancels, if it says so. */
export const reasonOf = (params: Params | undefined): string =>
  typeof params?.reason === "string" ? params.reason : "no reason given";

const asParams = (value: unknown): Params | undefined =>
  typeof value === "object" && value !== null ? (value as Params) : undefined;
