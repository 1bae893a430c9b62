import type { Exchange } from "../protocol/exchange.ts";
import type { Params, RpcReply } from "../protocol/json-rpc.ts";
import { withoutEnvelope } from "../protocol/modern.ts";
import type { Fleet, FleetClient } from "../registry/fleet.ts";
import type { Access } from "../security/index.ts";
import { methodNotFound } from "./mcp-service.ts";

/** Sends one request to a fleet, in the messages of the server's era; `tool` as in `Access.call`. */
export function sendCall(
  fleet: Fleet,
  access: Access,
  client: FleetClient,
  method: string,
  params: Params | undefined,
  exchange: Exchange,
  tool?: string,
): Promise<RpcReply> {
  return exchange.client?.modern === true || exchange.client?.logLevel !== undefined || tool !== undefined
    ? callKnown(fleet, access, client, method, params, exchange, tool)
    : access.call(fleet, client, method, params, exchange);
}

/** The same where it matters what the server is. */
async function callKnown(
  fleet: Fleet,
  access: Access,
  client: FleetClient,
  method: string,
  params: Params | undefined,
  exchange: Exchange,
  tool: string | undefined,
): Promise<RpcReply> {
  const modern = exchange.client?.modern === true;
  const level = exchange.client?.logLevel;
  const server = await fleet.describe();
  // The tasks of 2025-11-25 and the extension of 2026-07-28 share names, not messages.
  if (tool !== undefined && exchange.client !== undefined && server.modern !== modern) return methodNotFound(method);
  if (modern && !server.modern && params?.requestState !== undefined) return foreignState();
  if (level !== undefined && !server.modern && "logging" in server.capabilities) {
    await fleet.setLogLevel(client, level);
  }
  const sent = modern && !server.modern ? withoutEnvelope(params) : params;
  return access.call(fleet, client, method, sent, exchange, tool);
}

/** A server of the session era has no `requestState`: the one that came is neither the gateway's nor the server's. */
function foreignState(): RpcReply {
  const message = 'Invalid params: "requestState" was not made here, or has been changed';
  return { error: { code: -32602, message } };
}
