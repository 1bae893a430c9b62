import type { FleetError } from "../errors.ts";
import type { Elsewhere } from "../protocol/elsewhere.ts";
import type { Exchange } from "../protocol/exchange.ts";
import type { Params, RpcReply } from "../protocol/json-rpc.ts";

/** What a server said of itself in `initialize` (basic/lifecycle) or `server/discover`. */
export interface ServerDescription {
  readonly protocolVersion: string;
  /** Of the stateless era (2026-07-28 on)? */
  readonly modern: boolean;
  readonly capabilities: Params;
  readonly serverInfo: { readonly name: string; readonly version: string };
  readonly instructions?: string;
}

/** Why a session or a link is over: in words, or as the error that its calls get. */
export type EndReason = string | FleetError;

/** One open MCP session with one instance of a server, whatever the transport. */
export interface UpstreamSession {
  readonly description: ServerDescription;
  /** Process id, when the server is a local process. */
  readonly pid?: number | undefined;
  /** The server keeps nothing for it between two calls. Defaults to false. */
  readonly stateless?: boolean;
  /** Sends a request; resolves with the server's own reply, rejects with a FleetError when there is none. */
  request(method: string, params: Params | undefined, exchange: Exchange): Promise<RpcReply>;
  notify(method: string, params?: Params): void;
  /** Resolves, with the reason, when the session can serve no more. */
  readonly ended: Promise<EndReason>;
  /** Only this owner uses it from now on; for what must find the same process again. */
  leased?(owner: string): void;
  close(): Promise<void>;
}

/** What a server may say outside of any call. */
export interface SessionEvents {
  /** `notifications/…` that belongs to no call, such as `notifications/tools/list_changed`. */
  onNotification(method: string, params: Params | undefined): void;
  /** The server's own description of a tool, for what a transport repeats of its arguments; a promise while its list must be read. */
  tool?(name: string): Params | undefined | Promise<Params | undefined>;
  /** What is known of other instances: one that has no place for the session refuses it at once. Defaults to none. */
  readonly elsewhere?: Elsewhere | undefined;
  /** A message has come, whatever it says. */
  heard?(): void;
}

/** Opens sessions with the instances of one fleet. */
/** How much of a pool of connections is in use. */
export interface ConnectionUse {
  readonly busy: number;
  readonly max: number;
  /** Requests that wait for a connection. */
  readonly waiting: number;
}

export interface Connector {
  /** Connections that its sessions share, and how they are used; absent where each session has one. */
  readonly connections?: ConnectionUse | undefined;
  /** Where instances come from, for people: a package, a command, an endpoint. */
  readonly source: string;
  connect(events: SessionEvents): Promise<UpstreamSession>;
  close(): Promise<void>;
}
