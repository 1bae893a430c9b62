import type { IncomingMessage, ServerResponse } from "node:http";
import type { Principal } from "../security/index.ts";
import type { McpTarget } from "./target.ts";

/** Takes over requests whose state lives in another process of the gateway. Each method returns whether it did. */
export interface Elsewhere {
  /** Notes who makes a request, for the process that takes it over. */
  admitted(request: IncomingMessage, principal: Principal): void;
  /** A request of a session. */
  session(request: IncomingMessage, response: ServerResponse, target: McpTarget): boolean;
  /** A request that goes on with a parked call, and the body that has been read. */
  parkedCall(
    request: IncomingMessage,
    response: ServerResponse,
    target: McpTarget,
    state: unknown,
    body: string,
  ): boolean;
  /** A message to the event stream of this id. */
  stream(request: IncomingMessage, response: ServerResponse, caller: string, id: string): boolean;
}
