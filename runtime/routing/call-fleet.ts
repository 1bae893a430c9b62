import { FleetError } from "../errors.ts";
import type { Exchange } from "../protocol/exchange.ts";
import { errorReply, type Params, type RpcReply } from "../protocol/json-rpc.ts";
import { excerpt } from "../protocol/methods.ts";
import type { Fleet, FleetClient } from "../registry/fleet.ts";
import type { Access } from "../security/index.ts";
import { sendCall } from "./send-call.ts";
import { callAboutTask, callForTask, concernsTask } from "./task-calls.ts";

/** Calls a tool by its own name or an alias. */
export function callTool(
  fleet: Fleet,
  access: Access,
  client: FleetClient,
  name: string,
  params: Params | undefined,
  exchange: Exchange,
): Promise<RpcReply> {
  const tool = fleet.tools.resolve(name);
  const sent = tool === params?.name ? params : { ...params, name: tool };
  return callFleet(fleet, access, client, "tools/call", sent, exchange);
}

/** Sends one request to a fleet for a client; what forbids it is thrown, or rejects. */
export function callFleet(
  fleet: Fleet,
  access: Access,
  client: FleetClient,
  method: string,
  params: Params | undefined,
  exchange: Exchange,
): Promise<RpcReply> {
  client.fleets?.add(fleet.name);
  if (method.startsWith("tasks/")) return callAboutTask(fleet, access, client, method, params, exchange);
  return fleet.taskIds !== undefined && concernsTask(method, params, exchange)
    ? callForTask(fleet, fleet.taskIds, access, client, method, params, exchange)
    : sendCall(fleet, access, client, method, params, exchange);
}

/** Servers answer -32602 for a tool that they lack (server/tools, error handling). */
export function unknownTool(name: string): RpcReply {
  return errorReply(new FleetError("INVALID_PARAMS", `Unknown tool: ${excerpt(name)}`));
}
