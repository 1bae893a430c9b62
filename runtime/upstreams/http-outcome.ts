import { FleetError } from "../errors.ts";
import type { RpcReply } from "../protocol/json-rpc.ts";
import { excerpt } from "../secret-guard.ts";
import type { ResponseHeaders } from "./http1/index.ts";

/** Where a stream of events was left, for who wants to read on (2025-11-25, basic/transports, "Resumability"). */
export interface Cut {
  readonly lastEventId: string;
  /** How long the server wants to be left alone first, in milliseconds; undefined when it has not said. */
  readonly retryMs: number | undefined;
}

/** How an answer is read. */
export interface Reading {
  /** A stream that breaks off can be resumed, so that is no failure. Defaults to false. */
  readonly resumable?: boolean;
  /** The server can put questions to the client of the call. Defaults to false. */
  readonly mayAsk?: boolean;
  /** The stream is left as soon as the response has come, because the server may keep it open. Defaults to false. */
  readonly untilReply?: boolean;
}

/** Has the server sent the request on to another address? */
export const isRedirect = ({ status }: HttpOutcome): boolean => status >= 300 && status < 400;

/** What one request came to. `reply` is absent when the server only took a notification (202). */
export interface HttpOutcome {
  readonly status: number;
  readonly headers: ResponseHeaders;
  readonly reply: RpcReply | undefined;
  /** Text of an answer that is no JSON-RPC message. */
  readonly text: string;
  /** The connection has served another caller before: what is no answer by its id could be a late word to that one. */
  readonly foreign: boolean;
  /** The stream can be resumed. */
  readonly cut: Cut | undefined;
}

/**
 * UPSTREAM_PROTOCOL for a request that HTTP answered, but JSON-RPC did not. The server's words are shown only where they
 * cannot be a late answer to another caller.
 */
export function unanswered(fleet: string, origin: string, { status, text, foreign }: HttpOutcome): FleetError {
  const said = !foreign && text !== "" ? `: ${excerpt(text, 200)}` : "";
  const problem = `${fleet}: ${origin} answered HTTP ${status} without a JSON-RPC response${said}`;
  return new FleetError("UPSTREAM_PROTOCOL", problem, { data: { status } });
}

/** For a connection that broke: UPSTREAM_UNREACHABLE before the request was `sent`, INSTANCE_LOST afterwards. */
export function broken(fleet: string, origin: string, cause: Error, sent: boolean): FleetError {
  const reason = cause.message === "" ? String((cause as NodeJS.ErrnoException).code) : cause.message;
  if (!sent) {
    const text = `${fleet}: ${origin} cannot be reached (${reason}); is the server up?`;
    return new FleetError("UPSTREAM_UNREACHABLE", text, { cause });
  }
  const text = `${fleet}: the connection to ${origin} broke during the call (${reason}); call again`;
  return new FleetError("INSTANCE_LOST", text, { cause });
}
