import { FleetError } from "../errors.ts";
import type { ClientSession } from "../protocol/client-session.ts";
import type { Exchange } from "../protocol/exchange.ts";
import type { Params, RpcReply } from "../protocol/json-rpc.ts";

/** What one MCP path (`/mcp` or `/mcp/<server>`) does with what its clients send. */
export interface McpService {
  /** The result of `initialize`, without the protocol version. */
  describe(): Promise<Params>;
  /** Answers a request of an open session. Rejects with a FleetError when there is no answer of a server. */
  handle(session: ClientSession, method: string, params: Params | undefined, exchange: Exchange): Promise<RpcReply>;
  /** Passes a client's notification on where a server should hear of it. */
  notified(session: ClientSession, method: string, params: Params | undefined): void;
  /** How long a call of this method may take, in milliseconds. */
  timeoutFor(params: Params | undefined): number;
}

/** The JSON-RPC answer to a method that is not served. */
export function methodNotFound(method: string): RpcReply {
  return { error: { code: -32601, message: `Method not found: ${method}` } };
}

/** The string that a call names its tool or prompt with. Throws INVALID_PARAMS. */
export function nameOf(params: Params | undefined): string {
  if (typeof params?.name === "string") return params.name;
  throw new FleetError("INVALID_PARAMS", 'Invalid params: "name" must be a string');
}
