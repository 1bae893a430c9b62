import { FleetError } from "../errors.ts";
import type { Exchange } from "../protocol/exchange.ts";
import type { Params, RpcReply } from "../protocol/json-rpc.ts";
import type { FleetClient } from "../registry/fleet.ts";
import type { ResourceListener } from "../registry/resource-subscriptions.ts";

/** On whose behalf a service works: a client session, or a caller of the stateless era. */
export interface ServiceClient extends FleetClient {
  /** Fleets that may hold something for the owner. */
  readonly fleets: Set<string>;
  /** Least severe log line that it wants. */
  logLevel: string | undefined;
  /** Sends a notification that belongs to no call; false when nobody listens. */
  notify(message: string): boolean;
}

/** What one MCP path (`/mcp` or `/mcp/<server>`) does with what its clients send. */
export interface McpService {
  /** What it is and can do. Each call of the stateless era asks for it. */
  describe(): Promise<Params>;
  /** The result of `initialize`, without the protocol version: `describe`, and what servers say to their clients. */
  introduce(): Promise<Params>;
  /** Answers a request of an open session. Rejects with a FleetError when there is no answer of a server. */
  handle(client: ServiceClient, method: string, params: Params | undefined, exchange: Exchange): Promise<RpcReply>;
  /** Passes a client's notification on where a server should hear of it. */
  notified(client: ServiceClient, method: string, params: Params | undefined): void;
  /** A tool as it is listed here, for what a header must repeat of its arguments. */
  tool(name: string): Promise<Params | undefined>;
  /** Asks to hear when a resource changes; `listener` is told until the client goes. */
  subscribe(client: ServiceClient, uri: string, listener: ResourceListener): Promise<RpcReply>;
  /** How long a call of this method may take, in milliseconds. */
  timeoutFor(params: Params | undefined): number;
}

/** The JSON-RPC answer to a method that is not served. */
export function methodNotFound(method: string): RpcReply {
  return { error: { code: -32601, message: `Method not found: ${method}` } };
}

/** The URI that a request is about. Throws INVALID_PARAMS. */
export function uriOf(params: Params | undefined): string {
  if (typeof params?.uri === "string") return params.uri;
  throw new FleetError("INVALID_PARAMS", 'Invalid params: "uri" must be a string');
}

/** The task that a request is about. Throws INVALID_PARAMS. */
export function taskIdOf(params: Params | undefined): string {
  if (typeof params?.taskId === "string") return params.taskId;
  throw new FleetError("INVALID_PARAMS", 'Invalid params: "taskId" must be a string');
}

/** The string that a call names its tool or prompt with. Throws INVALID_PARAMS. */
export function nameOf(params: Params | undefined): string {
  if (typeof params?.name === "string") return params.name;
  throw new FleetError("INVALID_PARAMS", 'Invalid params: "name" must be a string');
}
