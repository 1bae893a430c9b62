import type { Logger } from "pino";
import { FleetError } from "../errors.ts";
import type { ClientSession } from "../protocol/client-session.ts";
import { ExactNumber } from "../protocol/exact-number.ts";
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
import type { ClientDeclaration } from "../protocol/sealed-session.ts";
import type { SessionTable } from "../protocol/session-table.ts";
import { SessionClient } from "./session-client.ts";
import type { Answer, McpTarget } from "./target.ts";

export interface SessionCallsOptions {
  readonly sessions: SessionTable;
  readonly log: Logger;
}

/** Longest `capabilities`, and longest `clientInfo`, as JSON: both go into the session's id, which is a header of every request. */
const maxDeclared = 4096;
/** What the log repeats of a client's own words. */
const maxLogged = 100;
/** Longest reason of a cancellation that is passed on, in characters. */
const maxReason = 256;
/** Follows each `initialize`, which has been counted. */
const initialized = "notifications/initialized";

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
    { id, method, params }: RpcRequest,
  ): Promise<{ readonly session: ClientSession; readonly id: string; readonly answer: string }> {
    const client = clientOf(params);
    const entering = target.access.enter(method, new Exchange(target.service.timeoutFor(undefined)));
    if (entering !== undefined) await entering;
    const { capabilities, ...described } = await target.service.introduce();
    // Extensions came with the stateless era.
    const { extensions: _extensions, ...offered } = capabilities as Params;
    const revision = negotiate(params?.protocolVersion);
    const opened = this.#options.sessions.open(revision, target.server, target.caller, client);
    this.#options.log.info(
      { client: named(client.clientInfo), revision, server: target.server, caller: target.caller },
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
      else answer.refused?.(target.access.refusal(error, target.server));
      reply = errorReply(error);
    }
    if (exchange.headers !== undefined) answer.headers?.(exchange.headers);
    session.calls.take(slot);
    return reply;
  }

  notified(session: ClientSession, target: McpTarget, { method, params }: RpcNotification): void {
    if (method === "notifications/cancelled") {
      session.cancelled(params?.requestId, reasonOf(params));
      return;
    }
    if (method === initialized) target.service.notified(session, method, params);
    else void entered(target, method).then((may) => may && target.service.notified(session, method, params));
  }
}

/** Why a client cancels, if it says so. */
export const reasonOf = (params: Params | undefined): string =>
  typeof params?.reason === "string" ? params.reason.slice(0, maxReason) : "no reason given";

/** May a notification be passed on? One past a limit is dropped: it has no answer that could say so. */
async function entered({ access, service }: McpTarget, method: string): Promise<boolean> {
  try {
    await access.enter(method, new Exchange(service.timeoutFor(undefined)));
    return true;
  } catch {
    return false;
  }
}

/** What a client declares of itself. Throws INVALID_PARAMS for more than an id can carry. */
function clientOf(params: Params | undefined): ClientDeclaration {
  const capabilities = asParams(params?.capabilities) ?? {};
  const described = asParams(params?.clientInfo);
  checkLength("capabilities", capabilities);
  if (described === undefined) return { capabilities, clientInfo: undefined };
  // Icons may hold their pictures (2025-11-25, basic/lifecycle); nobody but a person looks at them.
  const { icons, ...plain } = described;
  const clientInfo = JSON.stringify(described).length <= maxDeclared ? described : plain;
  checkLength("clientInfo", clientInfo);
  return { capabilities, clientInfo };
}

function checkLength(name: string, value: Params): void {
  const { length } = JSON.stringify(value);
  if (length <= maxDeclared) return;
  const text = `Invalid params: "${name}" has ${length} characters; send at most ${maxDeclared}`;
  throw new FleetError("INVALID_PARAMS", text);
}

/** Name and version of a client, for the log. */
const named = (clientInfo: Params | undefined) =>
  clientInfo && { name: cut(clientInfo.name), version: cut(clientInfo.version) };
const cut = (value: unknown) => (typeof value === "string" ? value.slice(0, maxLogged) : undefined);

const asParams = (value: unknown): Params | undefined =>
  typeof value === "object" && value !== null && !(value instanceof ExactNumber) ? (value as Params) : undefined;
